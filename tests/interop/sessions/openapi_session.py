"""Reads a description from standard input and fails when it is not OpenAPI 3.1."""

import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator

problems = [str(problem) for problem in OpenAPIV31SpecValidator(json.load(sys.stdin)).iter_errors()]
print(*problems, sep="\n")
sys.exit(1 if problems else 0)
