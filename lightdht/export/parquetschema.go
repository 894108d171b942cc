package export

import (
	"encoding/json"
	"fmt"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lightdht/lightdht/lightdht/kad"
)

// parquetSchemaKey is where the metadata of a file keep the schema, as JSON:
// Parquet alone tells neither an ID from a hash nor an address from a text.
const parquetSchemaKey = "lightdht.schema"

// parquetDictionaryBytes bounds the dictionary of a column in a row group. What
// does not fit in is written plainly.
const parquetDictionaryBytes = 512 << 10

// orderedGroup is a group whose fields are in the order of the schema. That of the
// library is a map and sorts them by name.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

// Fields returns the columns in their own order.
func (g *orderedGroup) Fields() []parquet.Field { return g.fields }

// parquetSchema returns the columns of s as a Parquet schema, all of them
// optional; dictionary tells for which columns of texts and addresses it pays.
func parquetSchema(s Schema, dictionary func(i int) bool) *parquet.Schema {
	root := &orderedGroup{Group: parquet.Group{}}
	for i, c := range s {
		node := parquet.Optional(parquetNode(c.Type))
		if (c.Type == Text || c.Type == Addr) && dictionary(i) {
			node = parquet.Encoded(node, &parquet.RLEDictionary)
		}
		root.Group[c.Name] = node
		root.fields = append(root.fields, parquet.Group{c.Name: node}.Fields()[0])
	}
	return parquet.NewSchema("rows", root)
}

// parquetNode returns how a type is stored. Numbers and times are written as what they
// differ by from one row to the next, in as few bits as the largest of 32 needs.
func parquetNode(t Type) parquet.Node {
	switch t {
	case ID, Hash:
		return parquet.Leaf(parquet.FixedLenByteArrayType(kad.Size))
	case Addr, Text:
		return parquet.String()
	case Float:
		return parquet.Leaf(parquet.DoubleType)
	case Bool:
		return parquet.Leaf(parquet.BooleanType)
	case Time:
		return parquet.Encoded(parquet.Timestamp(parquet.Microsecond), &parquet.DeltaBinaryPacked)
	}
	return parquet.Encoded(parquet.Leaf(parquet.Int64Type), &parquet.DeltaBinaryPacked)
}

// columnJSON is a column in the metadata.
type columnJSON struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// parquetSchemaJSON returns the metadata that tell the types of s.
func parquetSchemaJSON(s Schema) string {
	columns := make([]columnJSON, len(s))
	for i, c := range s {
		columns[i] = columnJSON{c.Name, c.Type.String()}
	}
	text, _ := json.Marshal(columns) // texts always can
	return string(text)
}

// typeNamed returns the type that String gives a name.
func typeNamed(name string) (Type, bool) {
	for t := ID; t <= Time; t++ {
		if t.String() == name {
			return t, true
		}
	}
	return 0, false
}

// parquetTypes returns the columns of a file. Where its metadata tell a type that the
// column can be of, it is of that type; else of the type that suits what is stored.
func parquetTypes(file *parquet.File) (Schema, error) {
	told := parquetTold(file)
	var s Schema
	for _, column := range file.Root().Columns() {
		types := parquetTypesOf(column)
		if len(types) == 0 {
			return nil, fmt.Errorf("parquet: column %q holds %s: none of the types that can be read",
				column.Name(), parquetKind(column))
		}
		c := Column{Name: column.Name(), Type: types[0]}
		for _, t := range types {
			if told[c.Name] == t {
				c.Type = t
			}
		}
		s = append(s, c)
	}
	return s, checkColumns(s)
}

// parquetTold returns the types that the metadata of a file tell, by column.
func parquetTold(file *parquet.File) map[string]Type {
	text, _ := file.Lookup(parquetSchemaKey)
	var columns []columnJSON
	if json.Unmarshal([]byte(text), &columns) != nil {
		return nil // of another program: what is stored tells enough
	}
	told := make(map[string]Type, len(columns))
	for _, c := range columns {
		told[c.Name], _ = typeNamed(c.Type)
	}
	return told
}

// parquetTypesOf returns the types that a column can be of, the likeliest first; none for
// groups, lists and what has no type here.
func parquetTypesOf(c *parquet.Column) []Type {
	if !c.Leaf() || c.Repeated() {
		return nil
	}
	switch logical := c.Type().LogicalType(); c.Type().Kind() {
	case parquet.Boolean:
		return []Type{Bool}
	case parquet.Int32, parquet.Int64:
		return parquetIntegers(logical)
	case parquet.Float, parquet.Double:
		return []Type{Float}
	case parquet.ByteArray:
		return []Type{Text, Addr}
	case parquet.FixedLenByteArray:
		if c.Type().Length() == kad.Size {
			return []Type{ID, Hash}
		}
	}
	return nil
}

// parquetIntegers tells numbers from times, and leaves out what a number stands for
// only with a scale, such as decimals.
func parquetIntegers(logical *format.LogicalType) []Type {
	if logical == nil {
		return []Type{Int}
	}
	switch logical.Value.(type) {
	case *format.TimestampType:
		return []Type{Time}
	case *format.IntType, nil:
		return []Type{Int}
	}
	return nil
}

// parquetKind says what is in a column, for people.
func parquetKind(c *parquet.Column) string {
	switch {
	case !c.Leaf():
		return "a group"
	case c.Repeated():
		return "lists"
	}
	return c.Type().String()
}
