"""How commands are declared: the options that they take, and errors turned into exit codes."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Annotated, Any, NamedTuple, ParamSpec

import typer

from blueplane_doctor.command_line.invocation import Invocation, exit_code_of
from blueplane_doctor.errors import UsageError
from blueplane_doctor.files.documents import is_broken
from blueplane_doctor.settings.options import OPTIONS, Option, Options, Scope, merged

_Parameters = ParamSpec("_Parameters")
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the exact changes, and make none.")]
HELP_SETTINGS: Any = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_COMMAND_LINE = "COMMANDLINE"
"""Name of typer's source of a value that was typed."""


class Given(NamedTuple):
    """The shared options of one place of the command line."""

    typed: Options = Options()
    environment: Options = Options()


def new_command(doc: str | None) -> typer.Typer:
    """An empty command, or a group of commands; `doc`, the module's docstring, is its help text."""
    return typer.Typer(
        help=doc,
        no_args_is_help=True,
        rich_markup_mode=None,  # rich help costs 80 ms at every start
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings=HELP_SETTINGS,
    )


def command(
    app: typer.Typer,
    *shared: str,
    name: str | None = None,
    formats: Sequence[str] = (),
    context_settings: Any = None,
    **own_help: str,
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Make a function the command of `app`, or the one of this name in a group.

    The function gets an Invocation, then its own options and arguments; it returns its exit code, or None for 0.
    `shared` are the names of the shared options that it takes; with a keyword, an option gets another help text. Any
    other shared option before the command is refused. `formats` are the values of its --format, the default first. Its
    help text is the module's docstring, in a group the function's.
    """
    taken = {}
    for option in shared:
        taken[option] = OPTIONS[option].help
    taken |= own_help
    if formats:
        taken["format"] = f"Format on stdout, default {formats[0]}."

    def declare(function: Callable[..., int | None]) -> Callable[..., int | None]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

        @guarded
        def run(context: typer.Context, **values: Any) -> int | None:
            later = split_off(context, taken, values)
            if not (context_settings or {}).get("ignore_unknown_options"):
                _refuse_broken_text(values)  # else the arguments are those of another program
            return function(_invocation(context, taken, later, formats), **values)

        help_text = inspect.getdoc(function) if name else app.info.help
        settings = {**HELP_SETTINGS, **(context_settings or {})}
        with_parameters(run, [*own, *parameters(taken, in_command=True, formats=formats)])
        app.command(name, help=help_text, context_settings=settings)(run)
        return function

    return declare


def _refuse_broken_text(values: Mapping[str, Any]) -> None:
    """Raise UsageError for a command's own argument that is not UTF-8: neither Redis nor the database can be asked."""
    for name, value in values.items():
        words = value if isinstance(value, list) else [value]
        if any(isinstance(word, str) and is_broken(word) for word in words):
            raise UsageError(f"{name}: it is no text: it holds bytes that are not UTF-8", "see the locale: locale")


def group(app: typer.Typer) -> typer.Typer:
    """Let a group of commands take all shared options between its name and that of a command."""

    def between(context: typer.Context, **values: Any) -> None:
        earlier = context.obj or Given()
        typed = merged(earlier.typed, split_off(context, OPTIONS, values).typed)
        context.obj = Given(typed, earlier.environment)

    names = dict.fromkeys(OPTIONS, "")
    with_parameters(between, parameters(names, in_command=True, hidden=True))
    app.callback()(between)
    return app


def parameters(
    names: Mapping[str, str], *, in_command: bool = False, hidden: bool = False, formats: Sequence[str] = ()
) -> list[inspect.Parameter]:
    """Typer's declaration of these shared options, in the order of the table; `names` maps each to its help text."""
    table = dict(OPTIONS)
    if formats:
        table["format"] = OPTIONS["format"]._replace(metavar="|".join(formats))
    declared = []
    for name in table:
        if name in names:
            declared.append(_parameter(table[name], names[name], in_command, hidden))
    return declared


def _parameter(option: Option, help_text: str, in_command: bool, hidden: bool) -> inspect.Parameter:
    flags = [option.flag]
    if option.negative:
        flags = [f"{option.flag}/--no-{option.flag.removeprefix('--')}"]
    if option.short:
        flags.append(option.short)
    # Variables of settings are read with the settings, and others here, before any command.
    read_here = not in_command and option.scope is not Scope.SETTINGS
    if option.scope is not Scope.EXAMINATION or not in_command:
        help_text += f" [env: {option.variable}]"
    declaration = typer.Option(
        *flags,
        help=help_text,
        metavar=option.metavar,
        hidden=hidden,
        envvar=option.variable if read_here else None,
        show_envvar=False,
    )
    annotation: Any = Annotated[option.type, declaration]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def with_parameters(function: Callable[..., Any], declared: list[inspect.Parameter]) -> None:
    """Let typer see these parameters instead of `**values`."""
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in declared]
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    function.__signature__ = inspect.Signature([context, *keyword_only])  # type: ignore[attr-defined]
    function.__annotations__ = {}  # typer would look up those of the function itself


def split_off(context: typer.Context, names: Iterable[str], values: dict[str, Any]) -> Given:
    """Take the shared options out of the values of one place of the command line."""
    typed = {}
    environment = {}
    for name in names:
        value = values.pop(name)
        source = context.get_parameter_source(name)
        if source is None or value is None or value == []:
            continue
        if source.name == _COMMAND_LINE:
            typed[name] = value
        else:
            environment[name] = value
    return Given(Options(**typed), Options(**environment))


def _invocation(context: typer.Context, taken: Iterable[str], later: Given, formats: Sequence[str]) -> Invocation:
    """Raises UsageError for an option or a format that the command does not have."""
    earlier = context.find_object(Given) or Given()
    refused = []
    for name in earlier.typed.given():
        if name not in taken:
            refused.append(OPTIONS[name].flag)
    path = _path(context)
    if refused:
        raise UsageError(
            f"{path} does not take {', '.join(refused)}", f"blueplane-doctor {path} --help shows what it takes"
        )
    environment = earlier.environment.given()
    for name in list(environment):
        if name not in taken or OPTIONS[name].scope is not Scope.COMMANDS:
            del environment[name]
    typed = merged(earlier.typed, later.typed)
    options = Options(**{**environment, **typed.given()})
    if not formats:
        return Invocation(options)
    wanted = options.format or formats[0]
    if wanted not in formats:
        raise UsageError(f"--format {wanted}: {path} has no such format", f"one of {', '.join(formats)}")
    return Invocation(options, wanted)


def _path(context: typer.Context) -> str:
    """The command's name, with its group's: `dlq list`."""
    names = []
    current: Any = context
    while current is not None and current.parent is not None:
        names.append(current.info_name)
        current = current.parent
    return " ".join(reversed(names))


def guarded(function: Callable[_Parameters, int | None]) -> Callable[_Parameters, None]:
    """Make a command end with its exit code, and say errors in one sentence on stderr."""

    @wraps(function)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> None:
        raise typer.Exit(exit_code_of(function, *args, **kwargs))

    return run
