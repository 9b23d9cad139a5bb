import re
from importlib import import_module
from pathlib import Path

import click
import pytest

from nnlogic.cli.main import cli
from nnlogic.cli.options import Session
from nnlogic.cli.verb import verbs
from nnlogic.core import errors
from nnlogic.core.errors import NNLogicError

VERBS = verbs()
GUIDE = Path(__file__).parents[2] / "docs" / "guide"


def sections():
    parts = re.split(r"^## nnlogic (\w+)$", (GUIDE / "cli.md").read_text(), flags=re.MULTILINE)
    return parts[0], dict(zip(parts[1::2], parts[2::2], strict=True))


def command(verb):
    return import_module(f"nnlogic.cli.verbs.{verb}").command


def options(cmd):
    params = [p for p in cmd.params if isinstance(p, click.Option)]
    return {name for p in params for name in (*p.opts, *p.secondary_opts)}


def test_every_verb_has_its_section_in_order():
    assert list(sections()[1]) == VERBS == cli.list_commands(click.Context(cli))


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_in_the_guide_and_no_other(verb):
    head, body = sections()
    common = options(cli) | {"--json", "--help", "-h"}
    own = options(command(verb)) - common
    told = set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", body[verb]))
    assert own - told == set()
    assert told - own - common == set()
    assert all(f"`{name}`" in head or name in head for name in common)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example_and_its_exit_codes(verb):
    body = sections()[1][verb]
    examples = [line for line in body.splitlines() if line.startswith(f"nnlogic {verb}")]
    assert examples
    for line in examples:
        context = command(verb).make_context(verb, line.split()[2:], obj=Session())
        assert context.info_name == verb
    assert "Exit codes: 0" in body


def test_every_error_class_is_in_the_guide_with_its_codes():
    text = (GUIDE / "errors.md").read_text()
    for cls in vars(errors).values():
        if isinstance(cls, type) and issubclass(cls, NNLogicError) and cls is not NNLogicError:
            assert f"| {cls.code} | `{cls.__name__}` | {cls.exit_code} |" in text


def test_links_between_guides_lead_somewhere():
    for page in GUIDE.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_stage_folder_is_in_the_flow_guide():
    text = (GUIDE / "flow.md").read_text()
    root = GUIDE.parents[1]
    folders = [f"nnlogic/{p.parent.name}" for p in (root / "nnlogic").glob("*/__init__.py")]
    assert len(folders) > 10
    assert [f for f in [*folders, "hw", "sim", "flows"] if f"`{f}`" not in text] == []
