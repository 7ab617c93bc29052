package verify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/duckgen/duckgen/internal/parallel"
)

// A File is a generated file that is made of parts, below its head.
type File struct {
	Content []byte
	Parts   []Part
}

// A Part is a stretch of a generated file.
type Part struct {
	Head   []byte   // package clause and imports of this part alone
	Body   []byte   // declarations
	Shares []string // variables declared here that later parts may need
}

// Parts reports whether generated code compiles that is made of parts. It is
// what [Check] is for code without errors: as strict, but a part at a time, as
// many at once as there are processors, and no part is kept. Where it is false,
// Check says what is wrong.
//
// The hand-written files are those that home was made of, as far as that goes
// without the generated ones, and imp is what its packages came from. A method
// or function that hand-written files declare as well, for a generated type or
// in home, is no concern of it.
func Parts(home *types.Package, imp types.Importer, files []File) bool {
	c := &partsChecker{
		home:     home,
		sharer:   map[string]int{},
		shared:   map[string]types.Object{},
		declared: map[string]bool{},
		imported: map[string]bool{},
	}
	if !c.prepare(files, imp) {
		return false
	}
	right := make([]bool, len(c.parts))
	c.checked = make([]sync.WaitGroup, len(c.parts))
	for i := range c.checked {
		c.checked[i].Add(1)
	}
	parallel.Do(len(c.parts), func(i int) {
		defer c.checked[i].Done()
		right[i] = c.check(i)
	})
	return !slices.Contains(right, false) && c.apart()
}

// A partsChecker checks the parts of one package.
type partsChecker struct {
	home    *types.Package
	parts   []Part
	imports importedOnce
	checked []sync.WaitGroup // of each part
	sharer  map[string]int   // the part that declares a shared variable

	mu       sync.Mutex
	shared   map[string]types.Object
	declared map[string]bool // by any part
	imported map[string]bool // names of imports of any file
}

// importedOnce are the packages that the parts import. It may be used
// concurrently.
type importedOnce map[string]*types.Package

func (m importedOnce) Import(path string) (*types.Package, error) {
	if pkg := m[path]; pkg != nil {
		return pkg, nil
	}
	return nil, errNotHere
}

// prepare looks at the files and imports every package that they import.
func (c *partsChecker) prepare(files []File, imp types.Importer) bool {
	var heads []*ast.File
	for _, f := range files {
		head := c.head(f)
		if head == nil {
			return false
		}
		heads = append(heads, head)
		for _, part := range f.Parts {
			for _, name := range part.Shares {
				c.sharer[name] = len(c.parts)
			}
			c.parts = append(c.parts, part)
		}
	}
	for file := range c.home.Scope().Children() {
		for _, name := range file.Names() {
			c.imported[name] = true
		}
	}
	return c.importAll(heads, imp)
}

// head returns the head of a file if it imports exactly what its parts import.
func (c *partsChecker) head(f File) *ast.File {
	head := parseHead(f.Content)
	if head == nil {
		return nil
	}
	imports := map[string]bool{}
	for _, part := range f.Parts {
		own := parseHead(part.Head)
		if own == nil {
			return nil
		}
		maps.Copy(imports, importsOf(own))
	}
	if !maps.Equal(imports, importsOf(head)) {
		return nil
	}
	return head
}

// parseHead returns the package clause and the imports of a file, or nil where
// they have an error.
func parseHead(content []byte) *ast.File {
	head, err := parser.ParseFile(token.NewFileSet(), "", content, parser.ImportsOnly)
	if err != nil {
		return nil
	}
	return head
}

func importsOf(file *ast.File) map[string]bool {
	imports := map[string]bool{}
	for _, spec := range file.Imports {
		name := ""
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name+" "+spec.Path.Value] = true
	}
	return imports
}

func (c *partsChecker) importAll(heads []*ast.File, imp types.Importer) bool {
	importer := newImporter(imp, heads)
	c.imports = importedOnce{}
	for _, head := range heads {
		for _, spec := range head.Imports {
			path, _ := strconv.Unquote(spec.Path.Value) // checked by the parser
			pkg, err := importer.Import(path)
			if err != nil {
				return false
			}
			c.imports[path] = pkg
			name := pkg.Name()
			if spec.Name != nil {
				name = spec.Name.Name
			}
			c.imported[name] = true
		}
	}
	return true
}

// check checks one part, in a package that has what the part mentions of others.
func (c *partsChecker) check(i int) bool {
	part := c.parts[i]
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", slices.Concat(part.Head, []byte("\n"), part.Body), parser.SkipObjectResolution)
	if err != nil {
		return false
	}
	pkg := types.NewPackage(c.home.Path(), c.home.Name())
	adopted := c.adopt(pkg.Scope(), file, i)
	right := true
	config := types.Config{Importer: c.imports, Error: func(error) { right = false }}
	_ = types.NewChecker(&config, fset, pkg, nil).Files([]*ast.File{file}) // in right
	return c.note(part, pkg.Scope(), adopted) && right
}

// adopt gives a scope the objects of hand-written files and of other parts that
// a file mentions by their names, and returns these names.
func (c *partsChecker) adopt(scope *types.Scope, file *ast.File, part int) map[string]bool {
	adopted := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		name, ok := n.(*ast.Ident)
		if !ok || adopted[name.Name] {
			return true
		}
		obj := c.home.Scope().Lookup(name.Name)
		if by, ok := c.sharer[name.Name]; ok && by < part {
			c.checked[by].Wait()
			c.mu.Lock()
			obj = c.shared[name.Name]
			c.mu.Unlock()
		}
		if obj != nil {
			adopted[name.Name] = true
			scope.Insert(obj)
		}
		return true
	})
	return adopted
}

// note remembers what a part declares. It is false where another one has
// declared that.
func (c *partsChecker) note(part Part, scope *types.Scope, adopted map[string]bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range scope.Names() {
		switch {
		case adopted[name]:
		case c.declared[name]:
			return false
		default:
			c.declared[name] = true
		}
	}
	for _, name := range part.Shares {
		c.shared[name] = scope.Lookup(name)
	}
	return true
}

// apart reports whether no declaration has the name of an import.
func (c *partsChecker) apart() bool {
	for name := range c.declared {
		if c.imported[name] {
			return false
		}
	}
	return true
}
