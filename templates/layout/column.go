package layout

import "bytes"

// A column is where the second cells of lines begin. They stand below one
// another in each group of lines.
type column struct {
	gaps   []gap
	group  int
	parted bool // the next line begins a group
}

// A gap is the space between the cells of a line.
type gap struct {
	at    int // in the output
	width int // of the first cell
	group int
}

// cell ends the first cell of a line.
func (c *column) cell(p *printer, start int) {
	if c.parted {
		c.group++
		c.parted = false
	}
	c.gaps = append(c.gaps, gap{len(p.out), p.width(start), c.group})
	p.put(" ")
}

// alone makes the last line a group of its own.
func (c *column) alone() {
	c.group++
	c.gaps[len(c.gaps)-1].group = c.group
	c.parted = true
}

// align widens the gaps.
func (c *column) align(p *printer) {
	if p.lost || len(c.gaps) < 2 {
		return
	}
	widest := make([]int, c.group+1)
	for _, g := range c.gaps {
		widest[g.group] = max(widest[g.group], g.width)
	}
	from := c.gaps[0].at
	tail := bytes.Clone(p.out[from:])
	p.out = p.out[:from]
	for i, g := range c.gaps {
		for range widest[g.group] - g.width {
			p.out = append(p.out, ' ')
		}
		to := from + len(tail)
		if i+1 < len(c.gaps) {
			to = c.gaps[i+1].at
		}
		p.out = append(p.out, tail[g.at-from:to-from]...)
	}
}
