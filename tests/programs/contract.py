"""Checks answers of the box against its own description, appliance/api/openapi.yaml: nothing but what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

OPENAPI = Path(__file__).resolve().parents[2] / "appliance" / "api" / "openapi.yaml"
METHODS = ("get", "post", "put", "patch", "delete")

Schema = dict[str, Any]


class Contract:
    def __init__(self) -> None:
        self._whole = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))
        self._common = set(re.findall(r"`(\w+)`", self._whole["components"]["responses"]["Problem"]["description"]))

    def operations(self) -> list[tuple[str, str]]:
        """Method and path as documented, without the prefix."""
        return [(method.upper(), path) for path, item in self._whole["paths"].items() for method in METHODS if method in item]

    def is_public(self, method: str, path: str) -> bool:
        """May be asked without a session."""
        security = self._whole["paths"][path][method.lower()].get("security")
        return security is not None and (security == [] or {} in security)

    def faults(self, method: str, path: str, status: int, kind: str, body: bytes) -> list[str]:
        """What of this answer to this operation is not as documented."""
        operation = self._whole["paths"][path][method.lower()]
        documented = operation["responses"].get(str(status))
        media = kind.split(";")[0]
        if documented is None:
            return self._problem_faults(operation, status, media, body)
        content = documented.get("content")
        if content is None:
            return [] if not body else [f"{status} has a body"]
        if media not in content:
            return [f"{status} is {media}"]
        if media != "application/json":
            return []
        return self._faults(json.loads(body), content[media]["schema"], "answer")

    def event_faults(self, name: str, data: Any) -> list[str]:
        schemas = {"status": "Status", "channels": "ChannelsEvent", "devices": "Devices", "viewers": "Viewers",
                   "pairing": "PairingEvent"}
        if name not in schemas:
            return [f"an event {name}"]
        return self._faults(data, self._whole["components"]["schemas"][schemas[name]], name)

    def _problem_faults(self, operation: Schema, status: int, media: str, body: bytes) -> list[str]:
        if status < 400 or media != "application/problem+json":
            return [f"an answer of {status}, {media}"]
        problem = json.loads(body)
        faults = self._faults(problem, self._whole["components"]["schemas"]["Problem"], "problem")
        codes = self._common | set(re.findall(r"`(\w+)`", operation.get("description", "")))
        if problem.get("code") not in codes:
            faults.append(f"the code {problem.get('code')}")
        if problem.get("status") != status:
            faults.append(f"a status of {problem.get('status')} in an answer of {status}")
        return faults

    def _faults(self, value: Any, schema: Schema, at: str) -> list[str]:
        if reference := schema.get("$ref"):
            return self._faults(value, self._whole["components"]["schemas"][reference.rsplit("/", 1)[1]], at)
        if options := schema.get("oneOf"):
            tries = [self._faults(value, option, at) for option in options]
            return [] if [] in tries else min(tries, key=len)
        if "const" in schema and value != schema["const"]:
            return [f"{at} is {value!r}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{at} is {value!r}"]
        match schema.get("type"):
            case "object":
                return self._object_faults(value, schema, at)
            case "array":
                return self._array_faults(value, schema, at)
            case "string":
                fits = isinstance(value, str) and schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 1 << 30)
            case "boolean":
                fits = isinstance(value, bool)
            case "integer":
                fits = (isinstance(value, int) and not isinstance(value, bool)
                        and schema.get("minimum", value) <= value <= schema.get("maximum", value))
            case other:
                raise AssertionError(f"{at}: a schema of type {other}")
        return [] if fits else [f"{at} is {value!r}"]

    def _object_faults(self, value: Any, schema: Schema, at: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{at} is no object"]
        known = schema.get("properties", {})
        faults = [f"{at} has no {name}" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            if name in known:
                faults += self._faults(member, known[name], f"{at}.{name}")
            elif "additionalProperties" in schema:
                faults += self._faults(member, schema["additionalProperties"], f"{at}.{name}")
            else:
                faults.append(f"{at}.{name} is not documented")
        return faults

    def _array_faults(self, value: Any, schema: Schema, at: str) -> list[str]:
        if not isinstance(value, list):
            return [f"{at} is no list"]
        faults = [] if len(value) <= schema.get("maxItems", len(value)) else [f"{at} has {len(value)} items"]
        for number, item in enumerate(value):
            faults += self._faults(item, schema["items"], f"{at}[{number}]")
        return faults
