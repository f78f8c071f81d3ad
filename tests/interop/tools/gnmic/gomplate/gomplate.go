// Package gomplate stands in for the template functions that gnmic offers in its configuration files.
//
// The real one brings the clients of several clouds, and a dependency that not every module proxy serves. Nothing that
// gnmic does on the wire comes from here.
package gomplate

import (
	"context"
	"text/template"

	"github.com/hairyhenderson/gomplate/v3/data"
)

// CreateFuncs offers no functions: the interop cases use no templates.
func CreateFuncs(context.Context, *data.Data) template.FuncMap {
	return template.FuncMap{}
}
