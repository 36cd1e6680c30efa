#!/usr/bin/env python3
"""Writes the first inputs of the corpora: requests that agents really sent (tests/recordings, long texts cut), examples of
each API, configuration files, and some bytes for the targets that build values of them."""

import json
import random
import struct
from pathlib import Path

FUZZ = Path(__file__).resolve().parent
RECORDINGS = FUZZ.parent / "tests/recordings"
LONGEST = 60

TARGETS = {
    "/v1/chat/completions": "read_chat",
    "/v1/messages": "read_messages",
    "/v1/responses": "read_responses",
}


def shortened(value, shared):
    if isinstance(value, str):
        if value.startswith("$shared:"):
            return shortened(shared[int(value[8:])], shared)
        return value if len(value) <= LONGEST else value[:LONGEST]
    if isinstance(value, list):
        return [shortened(each, shared) for each in (value if len(value) <= 6 else value[:2] + value[-4:])]
    if isinstance(value, dict):
        return {key: shortened(each, shared) for key, each in value.items()}
    return value


def put(target, name, data):
    folder = FUZZ / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


for recording in sorted(RECORDINGS.glob("*.json")):
    data = json.loads(recording.read_text())
    for number, exchange in enumerate(data["exchanges"]):
        target = TARGETS.get(exchange["path"].split("?")[0])
        body = exchange.get("body")
        if target and number in (0, len(data["exchanges"]) - 2):
            put(target, f"{recording.stem}-{number}", json.dumps(shortened(body, data["shared"]), ensure_ascii=False))

put("read_completions", "all-fields", json.dumps({
    "model": "m", "prompt": ["x"], "suffix": "", "echo": True, "stream": True, "stream_options": {"include_usage": True},
    "temperature": 1, "top_p": 1.0, "max_tokens": 5.0, "stop": ["a", "b"], "n": 2, "best_of": 2, "seed": -1, "logit_bias": {},
}))
put("read_gemini", "all-parts", json.dumps({
    "systemInstruction": {"parts": {"text": "s"}},
    "contents": [
        {"role": "user", "parts": [{"text": "look"}, {"inline_data": {"mime_type": "image/png", "data": "iVBORw0KGgo="}}]},
        {"role": "model", "parts": [{"text": "Hm", "thought": True, "thoughtSignature": "copilot-proxy:r1:AAAA"},
                                    {"functionCall": {"id": "1", "name": "get", "args": {"a": 1}}, "thoughtSignature": "eA=="},
                                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                                    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "get", "response": {"output": "r"}, "parts": [
            {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0xLjQK"}}]}},
            {"fileData": {"fileUri": "https://example.com/a"}}]},
    ],
    "tools": [{"googleSearch": {}, "functionDeclarations": [{"name": "get", "description": "d", "parameters": {
        "type": "OBJECT", "properties": {"a": {"type": "INTEGER", "nullable": True, "minimum": 1}}, "required": ["a"]}}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get"]}},
    "generationConfig": {"temperature": 1, "topP": 0.5, "topK": 4, "candidateCount": 2, "maxOutputTokens": 9, "seed": -1,
                         "stopSequences": ["a"], "responseMimeType": "application/json", "responseSchema": {"type": "ARRAY"},
                         "thinkingConfig": {"thinkingBudget": -1, "includeThoughts": True}},
}))
put("read_ollama", "chat", json.dumps({
    "model": "m:latest", "stream": False, "think": "low", "format": {"type": "object"}, "keep_alive": "5m",
    "options": {"num_predict": 5, "stop": ["a"], "temperature": 0},
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "look", "images": ["iVBORw0KGgo="]},
        {"role": "assistant", "content": "", "thinking": "t",
         "tool_calls": [{"function": {"name": "get", "arguments": {"a": 1}}}]},
        {"role": "tool", "tool_name": "get", "content": "r"},
    ],
    "tools": [{"type": "function", "function": {"name": "get", "description": "d", "parameters": {"type": "object"}}}],
}))
put("read_ollama", "generate", json.dumps({"model": "m", "prompt": "x", "system": "s", "images": [], "raw": True, "context": [1]}))
put("setup_json", "claude-code", '{\n    // Mine.\n    "theme": "dark",   /* at night */\n    "env": { "EDITOR": "vi", },\n}')
put("setup_json", "opencode", '{"provider": {"other": {"models": {}}}, "model": "a/b"}')
put("setup_toml", "codex", "# Mine.\nmodel = 'o3' # old\n\n[model_providers.other]\nname = \"Other\"\n\n[[a]]\nb.c = 1\n")
put("setup_toml", "inline", 'model_providers = { other = { name = "Other" } }\n')

random.seed(1)
for target in ("encoders", "json_output", "stop_sequences", "transcript"):
    for number, length in enumerate((20, 80, 300)):
        put(target, f"bytes-{number}", random.randbytes(length))


def frame(kind, stream, payload):
    return struct.pack("<IBI", len(payload) + 5, kind, stream) + payload


messages = [
    frame(0, 0, json.dumps({"type": "hello", "token": "t", "protocol": {"min": 1, "max": 3}, "version": "0.1.0", "pid": 1,
                            "window": {"focused": True, "folders": [{"name": "n", "path": "/p"}]}}).encode()),
    frame(1, 1, "text é".encode()) + frame(2, 1, b"thinking"),
    frame(0, 1, json.dumps({"type": "part", "part": {"type": "tool_call", "id": "1", "name": "n", "input": {"a": 1}}}).encode()),
    frame(3, 2, b'{"type":"pa') + frame(0, 2, b'rt","part":{"type":"data","mime":"usage","base64":""}}'),
    frame(0, 1, b'{"type":"failed","name":"Error","code":null,"message":"m"}') + frame(0, 3, b'{"type":"done"}'),
]
for number, data in enumerate(messages):
    put("frames", f"message-{number}", bytes([number * 7]) + data)
put("frames", "all", b"\x20" + b"".join(messages))
