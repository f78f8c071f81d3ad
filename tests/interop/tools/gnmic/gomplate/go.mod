module github.com/hairyhenderson/gomplate/v3

go 1.21
