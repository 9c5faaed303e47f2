"""What pydantic 2 makes of a JSON text, as the reference's FastAPI gives it. Runs in the virtual environment of the
reference 3.8.3: reads lines {"kind": …, "json": …}, prints a line for each, a value or the list of errors."""
import enum
import json
import sys
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Optional
from uuid import UUID

from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from prefect.types import DateTime, Name, NonNegativeFloat, NonNegativeInteger, PositiveInteger


class Colour(str, enum.Enum):
    RED = "RED"
    GREEN = "GREEN"
    BLUE = "BLUE"


class Base(BaseModel):
    model_config = ConfigDict(ser_json_timedelta="float")


class Inner(Base):
    name: str
    count: Optional[int] = None
    when: Optional[DateTime] = None
    tags: List[str] = Field(default_factory=list)


class Strict(Base):
    model_config = ConfigDict(extra="forbid")
    id: UUID
    colour: Colour = Colour.RED
    inner: Optional[Inner] = None


class Outer(Base):
    """One field of every kind, some required."""
    s: Name
    u: Optional[UUID] = None
    i: NonNegativeInteger = 0
    f: float = 0.0
    b: bool = False
    t: Optional[DateTime] = None
    d: timedelta = timedelta(0)
    e: Colour
    dd: Dict[str, Any] = Field(default_factory=dict)
    a: Any = None
    ss: List[str] = Field(default_factory=list)
    us: Optional[List[UUID]] = None
    inner: Inner = Field(default_factory=lambda: Inner(name="x"))
    strict: Optional[Strict] = None


TYPES = {
    "str": str, "uuid": UUID, "int": int, "float": float, "bool": bool, "moment": DateTime, "duration": timedelta,
    "enum": Colour, "dict": Dict[str, Any], "any": Any, "strs": List[str], "uuids": List[UUID],
    "int_ge_0": NonNegativeInteger, "int_ge_1": PositiveInteger, "float_ge_0": NonNegativeFloat, "name": Name,
    "inner": Inner, "strict": Strict, "outer": Outer,
}
ADAPTERS = {}
for name, type_ in TYPES.items():
    is_model = isinstance(type_, type) and issubclass(type_, BaseModel)
    config = None if is_model else ConfigDict(ser_json_timedelta="float")
    ADAPTERS[name] = TypeAdapter(type_, config=config)
    ADAPTERS["opt_" + name] = TypeAdapter(Optional[type_], config=config)


def answer(kind, text):
    adapter = ADAPTERS[kind]
    value = json.loads(text)
    try:
        parsed = adapter.validate_python(value, from_attributes=True)
    except ValidationError as exc:
        return {"errors": jsonable_encoder(exc.errors(include_url=False))}
    except Exception as exc:  # a 500 there
        return {"raises": type(exc).__name__}
    try:
        return {"value": adapter.dump_python(parsed, mode="json")}
    except Exception as exc:
        return {"raises": type(exc).__name__}


def main():
    for line in sys.stdin:
        case = json.loads(line)
        text = json.dumps(answer(case["kind"], case["json"]), ensure_ascii=False, separators=(",", ":"))
        # A time without a date is today's.
        print(text.replace(datetime.now(timezone.utc).strftime('"%Y-%m-%dT'), '"2000-01-02T'))


if __name__ == "__main__":
    main()
