"""The kinds of value in a scenario file, each with the words that say what is allowed."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from cluster_sim.errors import did_you_mean

__all__ = [
    "ArrivalRate",
    "Choice",
    "Count",
    "Durations",
    "Load",
    "Must",
    "NonNegative",
    "Placement",
    "Positive",
    "Precision",
    "Probability",
    "Rate",
    "Seed",
    "ServerCount",
    "ServerIndex",
    "Table",
    "TableSize",
    "Text",
    "Warmup",
    "Weight",
    "is_custom",
]

LARGEST_INTEGER = 2**63 - 1  # what an int64 holds
LARGEST_CLUSTER = 10_000_000  # also tasks per slot: the tables of the model stay below 1 GiB
LARGEST_TABLE = 100_000_000
_CUSTOM = "scenario"


class Table(BaseModel):
    """A table of a scenario file: frozen, strict, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=False)


@dataclass(frozen=True)
class Must:
    """Replace the messages of the annotations before it by one phrase of ours.

    Parameters
    ----------
    phrase : str
        What the value must be, to follow the word "must".
    """

    phrase: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Wrap the schema so that any failure says `phrase`."""

        def check(value: Any, inner: Callable[[Any], Any]) -> Any:
            try:
                return inner(value)
            except ValidationError:
                raise _error(f"must {self.phrase}{_hint(value, self.phrase)}") from None

        return core_schema.no_info_wrap_validator_function(check, handler(source))


class Choice:
    """Make an annotation accept its listed texts only, and suggest the nearest to any other."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Wrap the schema of a ``Literal`` or of a string enum."""
        is_enum = isinstance(source, type) and issubclass(source, enum.Enum)
        known = [str(member.value) for member in source] if is_enum else list(get_args(source))

        def check(value: Any, inner: Callable[[Any], Any]) -> Any:
            if isinstance(value, str) and value in known:
                return inner(value)
            if isinstance(value, str):
                raise _error(f"is not known. {did_you_mean(value, known)}")
            listed = ", ".join(f'"{name}"' for name in known)
            raise _error(f"must be one of {listed}{_hint(value, '')}")

        schema = handler(source)
        if is_enum:  # strict mode would refuse the plain text of a file
            schema = core_schema.no_info_after_validator_function(
                source, core_schema.literal_schema(known)
            )
        return core_schema.no_info_wrap_validator_function(check, schema)


def is_custom(kind: str) -> bool:
    """Return whether an error of this pydantic type carries words of ours.

    Parameters
    ----------
    kind : str
        The ``type`` of an entry of ``ValidationError.errors()``.

    Returns
    -------
    bool
    """
    return kind == _CUSTOM


def _error(words: str) -> PydanticCustomError:
    # The words travel as a value of the template: braces in them are not placeholders.
    return PydanticCustomError(_CUSTOM, "{words}", {"words": words})


def _hint(value: object, phrase: str) -> str:
    """Return what was probably meant, in brackets, or nothing."""
    if isinstance(value, bool):
        return " (true and false are neither numbers nor text)"
    if isinstance(value, str):
        is_number = "integer" in phrase or "number" in phrase
        quoted = " (this is text: remove the quotes)" if _is_number(value) else " (this is text)"
        return quoted if is_number else ""
    if isinstance(value, int | float):
        return _hint_number(value, phrase)
    if isinstance(value, list | tuple):
        return " (this is an array: give one value)"
    if isinstance(value, dict):
        return " (this is a table: give one value)"
    return f" (this is a {type(value).__name__})"


def _hint_number(value: int | float, phrase: str) -> str:
    if not isinstance(value, int) and not math.isfinite(value):
        return " (it must be finite)"
    if not isinstance(value, int) and value.is_integer() and 0 <= value <= LARGEST_INTEGER:
        return f" (write {int(value)}, without a fraction)" if "integer" in phrase else ""
    if isinstance(value, int) and value > LARGEST_INTEGER:
        return " (too large)"
    return " (this is a number)" if "text" in phrase else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_MODULE_CLASS = r"^[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*$"

Text = Annotated[str, Field(min_length=1), Must("be text in quotes, and not empty")]
Count = Annotated[int, Field(ge=1, le=LARGEST_INTEGER), Must("be an integer of at least 1")]
ServerCount = Annotated[
    int, Field(ge=1, le=LARGEST_CLUSTER), Must(f"be an integer from 1 to {LARGEST_CLUSTER}")
]
TableSize = Annotated[
    int, Field(ge=1, le=LARGEST_TABLE), Must(f"be an integer from 1 to {LARGEST_TABLE}")
]
ArrivalRate = Annotated[
    float,
    Field(gt=0, le=LARGEST_CLUSTER, allow_inf_nan=False),
    Must(f"be a number above 0 and at most {LARGEST_CLUSTER} (tasks per slot)"),
]
Load = Annotated[
    float,
    Field(gt=0, le=10, allow_inf_nan=False),
    Must("be a number above 0 and at most 10 (a fraction of capacity: 0.9 for 90 %)"),
]
Weight = Annotated[
    float, Field(gt=0, le=1e15, allow_inf_nan=False), Must("be a number above 0 and at most 1e15")
]
ServerIndex = Annotated[
    int,
    Field(ge=0, le=LARGEST_INTEGER),
    Must("be the index of a server: an integer of at least 0"),
]
Seed = Annotated[int, Field(ge=0, lt=2**64), Must("be an integer from 0 to 2**64 - 1")]
Warmup = Annotated[
    Annotated[int, Field(ge=0, le=LARGEST_INTEGER)] | Literal["auto"],
    Must('be an integer of at least 0 (slots) or "auto"'),
]
Precision = Annotated[
    float,
    Field(gt=0, lt=1, allow_inf_nan=False),
    Must("be a number above 0 and below 1 (a fraction of the mean: 0.01 for 1 %)"),
]
Rate = Annotated[
    float,
    Field(gt=0, le=1, allow_inf_nan=False),
    Must("be a number above 0 and at most 1 (a probability per slot)"),
]
Probability = Annotated[
    float, Field(ge=0, le=1, allow_inf_nan=False), Must("be a number from 0 to 1")
]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), Must("be a number above 0")]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), Must("be a number of at least 0")]
Durations = Annotated[
    Annotated[str, Field(min_length=1)]
    | Annotated[
        tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...],
        Field(min_length=1, strict=False),
    ],
    Must("be an array of durations above 0, or the path of a file of them in quotes"),
]
Placement = Annotated[
    Literal["uniform", "hdfs"] | Annotated[str, Field(pattern=_MODULE_CLASS)],
    Must('be "uniform", "hdfs", or a class of your own as "module:Class"'),
]
