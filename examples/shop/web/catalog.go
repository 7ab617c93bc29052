package web

import "fmt"

// A product is something that the shop sells.
type product struct {
	SKU   string
	Name  string
	Tone  string // of its picture, a class of the style sheet
	Text  string
	Cents int
}

// catalog is what the shop sells, in the order of its front page.
var catalog = []product{
	{"classic", "The Classic", "yellow", "Yellow, floats upright, listens to every bug.", 790},
	{"captain", "The Captain", "blue", "Keeps its bearing in any bath, and in production.", 1290},
	{"gardener", "The Gardener", "green", "Prunes what is no longer called.", 990},
	{"firefighter", "The Firefighter", "red", "Calm at three in the morning.", 1190},
	{"philosopher", "The Philosopher", "violet", "Asks what the code was meant to do.", 1490},
	{"ghost", "The Ghost", "grey", "Only seen by those who run the race detector.", 890},
}

func findProduct(sku string) (product, bool) {
	for _, p := range catalog {
		if p.SKU == sku {
			return p, true
		}
	}
	return product{}, false
}

func (p product) Price() string { return price(p.Cents) }

func price(cents int) string { return fmt.Sprintf("€ %d.%02d", cents/100, cents%100) }
