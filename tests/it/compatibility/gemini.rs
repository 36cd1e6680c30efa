//! Google's Gemini API: the names are those of its discovery document.

use super::Handling::{Honored, Ignored, Refused, Words};
use super::{Row, Section, Table};

pub const TABLE: Table = Table {
    title: "Gemini: `/v1beta/models/{model}:generateContent`",
    list: "gemini",
    sections: &[
        Section { title: "Fields", list: "fields", rows: FIELDS },
        Section { title: "Fields of `generationConfig`", list: "generation config", rows: GENERATION },
        Section { title: "Fields of `thinkingConfig`", list: "thinking config", rows: THINKING },
        Section {
            title: "Fields of `functionCallingConfig`",
            list: "function calling config",
            rows: FUNCTION_CALLING,
        },
        Section { title: "Fields of functions", list: "fields of function declarations", rows: FUNCTION },
        Section { title: "Kinds of parts", list: "parts", rows: PARTS },
        Section { title: "Fields of parts", list: "fields of parts", rows: ABOUT_PARTS },
        Section { title: "Tools", list: "tools", rows: TOOLS },
    ],
};

const NO_PROBABILITIES: &str = "VS Code's models tell no token probabilities";

const FIELDS: &[Row] = &[
    (
        "contents systemInstruction tools toolConfig generationConfig",
        Honored,
        "in camel case or in snake case",
    ),
    ("model", Ignored, "the path names the model"),
    (
        "cachedContent",
        Refused(r#""cachedContents/a""#),
        "no contents are kept; the providers cache by themselves",
    ),
    ("safetySettings", Ignored, "the providers have filters of their own"),
    ("serviceTier store", Ignored, ""),
];

const GENERATION: &[Row] = &[
    (
        "candidateCount maxOutputTokens stopSequences temperature topP seed presencePenalty frequencyPenalty",
        Honored,
        "",
    ),
    ("thinkingConfig", Honored, "docs/thinking.md has the table of efforts"),
    ("responseMimeType", Honored, "`text/plain` and `application/json`; `text/x.enum` is refused"),
    (
        "responseSchema responseJsonSchema _responseJsonSchema",
        Honored,
        "the schema travels as a tool, and the server validates the response",
    ),
    ("responseFormat", Honored, "`text`; `audio` and `image` are refused"),
    ("responseModalities", Refused(r#"["TEXT", "IMAGE"]"#), "others than `TEXT`"),
    ("responseLogprobs", Refused("true"), NO_PROBABILITIES),
    ("logprobs", Refused("1"), NO_PROBABILITIES),
    ("topK", Ignored, "VS Code's models have no such option"),
    (
        "speechConfig imageConfig mediaResolution enableEnhancedCivicAnswers",
        Ignored,
        "about other responses than text",
    ),
];

const THINKING: &[Row] = &[
    ("includeThoughts", Honored, "without it thinking is hidden; its signatures are in the parts after it"),
    ("thinkingBudget thinkingLevel", Honored, "as an effort"),
];

const FUNCTION_CALLING: &[Row] =
    &[("mode allowedFunctionNames", Honored, "by an instruction, and the calls are verified")];

const FUNCTION: &[Row] = &[
    ("name description", Honored, "identical functions are one, different ones of one name are refused"),
    ("parameters", Honored, "converted to JSON Schema"),
    ("parametersJsonSchema", Honored, "a schema whose root is no plain object travels wrapped"),
    ("response responseJsonSchema", Ignored, "models take schemas of arguments only"),
    ("behavior", Ignored, "calls are answered in the next request"),
];

const PARTS: &[Row] = &[
    ("text functionCall", Honored, ""),
    (
        "functionResponse",
        Honored,
        "with images in its `parts`; without ids it belongs to the oldest call of its name",
    ),
    ("inlineData", Honored, "PNG, JPEG, GIF, WebP and text files; others as words"),
    ("fileData", Words, "nothing is fetched"),
    (
        "executableCode codeExecutionResult toolCall toolResponse",
        Words,
        "of tools that ran in Google's own service",
    ),
];

const ABOUT_PARTS: &[Row] = &[
    ("thought", Honored, ""),
    ("thoughtSignature", Honored, "of the model that made it; others are ignored"),
    ("partMetadata videoMetadata mediaResolution", Ignored, ""),
];

const TOOLS: &[Row] = &[
    (
        "googleSearch googleSearchRetrieval urlContext",
        Honored,
        "tools of the editor run; of `googleSearch`, `excludeDomains` counts",
    ),
    (
        "codeExecution computerUse fileSearch googleMaps mcpServers",
        Ignored,
        "they run in Google's own service; mode `ANY` without functions is refused",
    ),
];
