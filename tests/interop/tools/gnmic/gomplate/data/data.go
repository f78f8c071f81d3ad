// Package data stands in for gomplate's data sources.
package data

// Data is a set of data sources; this one has none.
type Data struct{}
