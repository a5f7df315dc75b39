"""What is measured inside a Blueplane server: which methods, what each records, and how each says that it failed.

`pipeline.py` knows those of Blueplane; `instrument_targets` of the settings adds to them.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from blueplane_doctor import pipeline


class Target(BaseModel):
    """One method that is measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: str
    """`module:Class.method` or `module:function`, the module without the packages before it."""
    packages: tuple[str, ...] = pipeline.PACKAGES
    """What may stand before the module, each ending in a dot; an empty text: nothing."""
    records: Literal["write", "hook", "monitor"]
    """What a call is recorded as."""
    name: str = ""
    """The table, hook or monitor. A hook's may be left out: then it is taken from the event."""
    argument: str = ""
    """The parameter that says what is done: the batch of a write, the event of a hook, the state of a monitor."""
    fails: Literal["raises", "returns-zero", "returns-false", "falls-back", "state"] = "raises"
    """How a call says that it failed, beside raising: by returning 0 for a batch that is not empty, by returning
    something false, by calling its `fallback`, by an `argument` that is not in `good`."""
    fallback: str = ""
    """The method of the same class that is called when it failed."""
    good: tuple[str, ...] = ()
    """States that are no failure."""
    sessions: str = ""
    """Attribute of the instance whose length is the number of sessions watched."""
    captures: bool = False
    """Whether a call of a monitor that does not fail captures one event."""
    optional: bool = False
    """Whether it is missing from some layouts, so that its absence is not worth a word."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        module, _, path = self.where.partition(":")
        if not all(part.isidentifier() for part in [*module.split("."), *path.split(".")]):
            raise ValueError("where must be module:Class.method or module:function")
        if not self.name and self.records != "hook":
            raise ValueError(f"a {self.records} needs a name")
        if not self.argument and (self.records == "write" or self.fails == "state" or not self.name):
            raise ValueError("argument is missing")
        if self.fails == "falls-back" and not self.fallback:
            raise ValueError("fallback is missing")
        return self

    @property
    def modules(self) -> tuple[str, ...]:
        """Every name that its module may have."""
        return tuple(package + self.where.partition(":")[0] for package in self.packages)

    @property
    def path(self) -> str:
        """`Class.method`, or the function."""
        return self.where.partition(":")[2]


TARGETS = tuple(Target(**row) for row in pipeline.MEASURED)
"""Those of Blueplane's own server."""
