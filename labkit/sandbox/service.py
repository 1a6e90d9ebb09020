"""The shape that every service of the sandbox has: operations by their AWS names, errors as AWS words them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

Result = Mapping[str, Any]
Handler = Callable[[Any, "Call"], "Result | Response | None"]
Preparation = TypeVar("Preparation", bound=Callable[[Any, "Call"], Any])


@dataclass(frozen=True)
class Call:
    """One call of one operation, parsed and checked against the service's model.

    `params` has the members as the AWS API names them (`logGroupName`); timestamps of the model are aware datetimes,
    blobs are bytes. `endpoint` is the sandbox's own address, `http://127.0.0.1:PORT`, for links.
    """

    service: str
    operation: str
    region: str
    account_id: str
    endpoint: str
    params: dict[str, Any]
    forward: Callable[[], Response] = field(repr=False, compare=False)
    """Hands the request to moto unchanged and returns its HTTP response."""
    signed: bool = True
    """Whether it came with a signature; a click on a link in a mail has none."""
    prepared: Any = field(default=None, repr=False, compare=False)
    """What the operation's preparation came to, if it has one."""


def operation(name: str) -> Callable[[Handler], Handler]:
    """Marks a method as the handler of an operation, by its AWS name (`PutLogEvents`)."""

    def mark(handler: Handler) -> Handler:
        handler.operation_name = name  # type: ignore[attr-defined]
        return handler

    return mark


def preparation(name: str) -> Callable[[Preparation], Preparation]:
    """Mark a method as what an operation does before the sandbox's lock is taken: `call` in, `call.prepared` out.

    It may take its time, and others are answered meanwhile. It changes nothing, takes the lock for short looks at most,
    and what it finds is checked again by the handler if it may have changed. It runs when a change is repeated, too.
    A method may prepare several operations.
    """

    def mark(method: Preparation) -> Preparation:
        method.prepares = (*getattr(method, "prepares", ()), name)  # type: ignore[attr-defined]
        return method

    return mark


class Service:
    """A service of the sandbox's own, in front of moto.

    A subclass marks its handlers with `@operation("PutLogEvents")`: `call` in, the members of the operation's output
    out. An operation that has no handler is answered by moto if it is in `answered_by_moto` (or if that is None, which
    stands for all), and refused with an error that names docs/sandbox.md otherwise.
    """

    name: ClassVar[str]
    """botocore's name of the service: logs, cloudwatch, sns, athena, ec2."""
    answered_by_moto: ClassVar[frozenset[str] | None] = frozenset()
    handlers: ClassVar[dict[str, Handler]] = {}
    preparations: ClassVar[dict[str, Callable[[Any, Call], Any]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {
            member.operation_name: member
            for base in reversed(cls.__mro__)
            for member in vars(base).values()
            if hasattr(member, "operation_name")
        }
        cls.handlers = own
        cls.preparations = {
            name: member
            for base in reversed(cls.__mro__)
            for member in vars(base).values()
            for name in getattr(member, "prepares", ())
        }

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    @classmethod
    def answers(cls, operation: str) -> bool:
        """Whether anybody here answers an operation: the service itself, or moto behind it."""
        return operation in cls.handlers or cls.answered_by_moto is None or operation in cls.answered_by_moto

    def resume(self) -> None:
        """Go on with what was under way when the sandbox stopped; called once its changes were made again."""

    def parts(self) -> dict[str, object]:
        """What the service is made of besides its state: a checkpoint refers to it by these names.

        A part that has state has the methods `to_keep` and `take_back`, too.
        """
        return {}

    def to_keep(self) -> dict[str, Any]:
        """Return the service's state, to be pickled at once: all its attributes, except for its parts."""
        left_out = {id(self.sandbox), *map(id, self.parts().values())}
        return {name: value for name, value in vars(self).items() if id(value) not in left_out}

    def take_back(self, kept: dict[str, Any]) -> None:
        """Go on from what `to_keep` returned."""
        vars(self).update(kept)

    def close(self) -> None:
        """Ends what the service has running: threads, connections."""
