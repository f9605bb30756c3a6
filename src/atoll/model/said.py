"""Texts of the platform's own, marked as such where an answer has them.

They are English in code, on record and in the audit. The marks stand in the JSON Schema of an answer
(`x-sentence`, `x-sentences`) and tell whoever writes it for a person what may be said in another language.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

#: On a string: it is a sentence.
SENTENCE = "x-sentence"
#: On an object: texts below these keys, at any depth, are sentences.
SENTENCES = "x-sentences"

#: A text of the platform's own. Texts that people write are plain `str`, but where one field has the one or the other:
#: what no template fits is told as it is.
Sentence = Annotated[str, Field(json_schema_extra={SENTENCE: True})]

#: What a line of a log holds: sentences below these keys, and facts.
LineBody = Annotated[dict[str, Any], Field(json_schema_extra={SENTENCES: ["message", "error", "detail", "reason"]})]

#: The JSON Schema of a form, whose titles and descriptions are shown.
FormSchema = Annotated[dict[str, Any], Field(json_schema_extra={SENTENCES: ["title", "description"]})]
