package schema

import "testing"

func TestAnAccessorIsToldByTheNameOfItsMethod(t *testing.T) {
	for _, c := range []struct {
		accessor Accessor
		method   string
		field    string // "": it is none
	}{
		{GetX, "Cart", "Cart"},
		{SetX, "SetCart", "Cart"},
		{SetXItem, "SetCartItem", "Cart"},
		{XDirty, "CartDirty", "Cart"},
		{XDirty, "Dirty", ""},
		{SetXItem, "SetItem", ""},
		{AppendX, "SetCart", ""},
		{SetXItem, "SetCart", ""},
		{FindByX, "FindByUserID", "UserID"},
	} {
		field, ok := c.accessor.Field(c.method)
		if ok != (c.field != "") || ok && (field != c.field || c.accessor.Of(field) != c.method) {
			t.Errorf("%s as %s is of field %q (%v)", c.method, c.accessor, field, ok)
		}
	}
}
