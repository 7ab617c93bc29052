package verify

import (
	"go/ast"
	"go/token"
	"go/types"
)

// without returns the file without the declarations of what the scope has
// already. The file itself stays as it is.
func without(file *ast.File, scope *types.Scope) *ast.File {
	if scope.Len() == 0 {
		return file
	}
	rest := *file
	rest.Decls = nil
	for _, decl := range file.Decls {
		if decl := declWithout(decl, scope); decl != nil {
			rest.Decls = append(rest.Decls, decl)
		}
	}
	return &rest
}

func declWithout(decl ast.Decl, scope *types.Scope) ast.Decl {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if scope.Lookup(declares(decl)) != nil {
			return nil
		}
		return decl
	case *ast.GenDecl:
		if decl.Tok == token.IMPORT {
			return decl
		}
		rest := *decl
		rest.Specs = nil
		for _, spec := range decl.Specs {
			if spec := specWithout(spec, scope); spec != nil {
				rest.Specs = append(rest.Specs, spec)
			}
		}
		if len(rest.Specs) == 0 {
			return nil
		}
		return &rest
	}
	return decl
}

// declares returns the name that a function depends on: of the type, for a
// method, or its own.
func declares(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	expr := f.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

// specWithout drops a type, and makes a constant blank: its place in the group
// counts.
func specWithout(spec ast.Spec, scope *types.Scope) ast.Spec {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if scope.Lookup(spec.Name.Name) != nil {
			return nil
		}
	case *ast.ValueSpec:
		rest := *spec
		rest.Names = make([]*ast.Ident, len(spec.Names))
		for i, name := range spec.Names {
			rest.Names[i] = name
			if scope.Lookup(name.Name) != nil {
				rest.Names[i] = &ast.Ident{NamePos: name.NamePos, Name: "_"}
			}
		}
		return &rest
	}
	return spec
}
