"""Asks the official schemas: schemas.py BOM LOG SARIF_SCHEMA. Needs cyclonedx-python-lib[json-validation] and jsonschema."""

import json
import sys

import jsonschema
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

bom, log, schema = (open(name, encoding="utf-8").read() for name in sys.argv[1:])
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bom)
if error is not None:
    sys.exit(f"CycloneDX 1.6: {error}")
schema = json.loads(schema)
validator = jsonschema.validators.validator_for(schema)(schema)
errors = [f"{list(e.absolute_path)}: {e.message[:300]}" for e in validator.iter_errors(json.loads(log))]
if errors:
    sys.exit("SARIF 2.1.0: " + "\n".join(errors[:5]))
