"""The catalogues: both languages say the same things, all that is asked for, and nothing else."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

import labreport
from labreport.analysis import thresholds
from labreport.analysis.formulas.flattened_facts import UNITS
from labreport.analysis.rule import THEMES, WITHOUT_ROW
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.schema.optimizers import OPTIMIZER_TITLES
from labreport.lab.schema.written import WrittenConfig
from labreport.language.catalogue import language
from labreport.language.compile import compiled
from labreport.language.rule_table import EVERY_RULE, OF_THE_LAB
from labreport.shipped import shipped

CODES = ("zh", "en")
PACKAGE = Path(labreport.__file__).parent
TEMPLATES = shipped("templates")


@cache
def catalogue(code: str) -> Catalog:
    with (TEMPLATES / "languages" / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def key_of(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


@cache
def messages(code: str) -> dict[str, tuple[str, ...]]:
    """Texts by key: one, or one a plural form."""
    texts = {}
    for message in catalogue(code):
        if message.id:
            forms = message.string
            texts[key_of(message)] = (forms,) if isinstance(forms, str) else tuple(forms)
    return texts


def placeholders(text: str) -> list[str]:
    """Names in braces, each as often as it occurs."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


# --- the files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_what_is_compiled_is_current(code: str) -> None:
    """After a change of a catalogue, run script/reference."""
    source = shipped("templates") / "languages" / f"{code}.po"
    assert compiled(source) == source.with_suffix(".mo").read_bytes()


@pytest.mark.parametrize("code", CODES)
def test_catalogue_is_for_its_language(code: str) -> None:
    assert str(catalogue(code).locale) == code
    assert catalogue(code).charset.upper() == "UTF-8"
    assert catalogue(code).num_plurals == (1 if code == "zh" else 2)


@pytest.mark.parametrize("code", CODES)
def test_no_message_is_empty_fuzzy_obsolete_or_twice(code: str) -> None:
    text = (TEMPLATES / "languages" / f"{code}.po").read_text(encoding="utf-8")
    assert "fuzzy" not in text
    assert not re.search(r"^#~", text, re.MULTILINE)
    keys = re.findall(r'^msgid "(.+)"$', text, re.MULTILINE)
    assert len(keys) == len(set(keys))
    assert all(form for forms in messages(code).values() for form in forms)


def test_both_languages_have_the_same_messages() -> None:
    assert messages("zh").keys() == messages("en").keys()


def test_both_languages_put_in_the_same_values() -> None:
    # {count} may be left out where the grammar of a language does without.
    wanted = {
        key: {frozenset(placeholders(form)) - {"count"} for c in CODES for form in messages(c)[key]}
        for key in messages("en")
    }
    assert {key: names for key, names in wanted.items() if len(names) > 1} == {}


@pytest.mark.parametrize("code", CODES)
def test_plurals_are_complete_and_choose_by_count(code: str) -> None:
    for message in catalogue(code):
        if message.id and not isinstance(message.id, str):
            assert len(message.string) == catalogue(code).num_plurals
            assert all("count" in placeholders(form) for form in message.string)


@pytest.mark.parametrize("code", CODES)
def test_texts_are_free_of_markup_and_stray_spaces(code: str) -> None:
    for key, forms in messages(code).items():
        for form in forms:
            assert not re.search(r"[<>&]", form), key
            assert form.strip() == form or key.startswith("list."), key
            assert "  " not in form, key


def test_chinese_is_written_with_chinese_punctuation() -> None:
    han = r"[\u4e00-\u9fff]"
    for key, forms in messages("zh").items():
        for form in forms:
            assert not re.search(rf"{han} ?[,;:!?]|{han}\.$", form), key


def test_english_has_no_chinese_left_in_it() -> None:
    for key, forms in messages("en").items():
        assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", "".join(forms)), key


# --- numbers and what they count -------------------------------------------------------------


def nouns(code: str) -> set[str]:
    """What texts ask to be put with its number: the part behind the colon."""
    texts = (form for forms in messages(code).values() for form in forms)
    found = {spec for text in texts for _, _, spec, _ in string.Formatter().parse(text) if spec}
    return found


def test_every_noun_that_is_counted_has_its_forms() -> None:
    counted = endings_of("en", "counted.")
    assert nouns("en") | {"rounds"} == counted
    assert nouns("zh") <= counted


MEASURED = {"factor", "times", "saturated", "rises", "shape"}
"""Values that are no whole number alone: 2.5 times, 24/200 updates, 150×4 numbers."""


def spoken(code: str, key: str, number: int) -> str:
    """A text with the same number everywhere."""
    names = {name for form in messages(code)[key] for name in placeholders(form)}
    return language(code).text(key, **{n: "2.5" if n in MEASURED else number for n in names})


MANY = "|".join(
    sorted(
        {
            forms[-1].split()[-1]
            for key, forms in messages("en").items()
            if key.startswith("counted.") or len(forms) > 1
            if re.fullmatch(r"\{count\} [a-z ]+s", forms[-1]) or key.startswith("counted.")
        }
    )
)
"""Plurals of all that is counted."""

OF_MANY = re.compile(
    rf"(?<![\d.,+×/=] )\b1 (?:(?:distinct|larger|more|random|single|wrong) )?(?:{MANY})\b"
)


def test_one_is_not_spoken_of_as_many() -> None:
    ones = {k: spoken("en", k, 1) for k in messages("en") if not k.startswith("unit.")}
    assert {key: one for key, one in ones.items() if OF_MANY.search(one)} == {}


def test_the_pattern_finds_what_it_is_for() -> None:
    for wrong in ("1 rounds take", "Of 1 formulas none", "Over 1 parameters", "takes 1 updates"):
        assert OF_MANY.search(wrong)
    assert OF_MANY.search("and 1 random starts")
    assert not OF_MANY.search("after 11 rounds, 1 round and 2 rounds")


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("code", CODES)
def test_every_text_can_be_written_with_one_and_with_many(code: str, number: int) -> None:
    texts = {key: spoken(code, key, number) for key in messages("en")}
    meant = "{ from, to, count }"
    assert {key: text for key, text in texts.items() if "{" in text.replace(meant, "")} == {}


# --- what the code asks for --------------------------------------------------------------------

NAMES_OF_TEXT = ("text", "_text")


@cache
def trees() -> tuple[ast.Module, ...]:
    files = sorted(PACKAGE.rglob("*.py"))
    return tuple(ast.parse(file.read_text(encoding="utf-8")) for file in files)


def strings() -> set[str]:
    """Every string in the code and every quoted word of the templates."""
    found = {
        node.value
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for template in TEMPLATES.rglob("*.j2"):
        found |= set(re.findall(r'"([a-z.-]+)"', template.read_text(encoding="utf-8")))
    return found


def patterns() -> list[re.Pattern[str]]:
    """Every f-string in the code as a pattern of what it can give."""
    found = []
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(part.value) if isinstance(part, ast.Constant) else "(.+)"
                    for part in node.values
                ]
                found.append(re.compile("".join(parts)))
    return found


def asked_for() -> Iterator[str]:
    """Keys that the code and the templates name in full."""
    for tree in trees():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and (getattr(node.func, "attr", None) or getattr(node.func, "id", None)) == "text"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield node.args[0].value
    for template in TEMPLATES.rglob("*.j2"):
        yield from re.findall(r'text\("([^"]+)"', template.read_text(encoding="utf-8"))


def test_every_key_that_is_named_has_a_text() -> None:
    named = set(asked_for())
    assert len(named) > 50
    assert named <= messages("en").keys()


def test_every_fault_has_a_text() -> None:
    """Codes of faults, wherever one is made: Fault("…"), Finding(…, "…"), a fault at a place."""
    codes = set()
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
                place = {"Fault": 0, "Finding": 1, "fault": 1, "_fault": 1, "_consequence": 1}
                if name in place and len(node.args) > place[name]:
                    argument = node.args[place[name]]
                    if isinstance(argument, ast.Constant):
                        codes.add(argument.value)
    assert len(codes) > 15
    assert {f"fault.{code}" for code in codes} <= messages("en").keys()


def test_no_text_is_left_that_nothing_asks_for() -> None:
    known, shapes = strings(), patterns()
    words = set(known) | set(ACTIVATIONS) | set(OPTIMIZER_TITLES) | {"true", "false"}

    endings = {word for word in known if re.fullmatch("-[a-z]+", word)}

    def used(key: str) -> bool:
        if key in known:
            return True
        if any(used(key.removesuffix(end)) for end in endings if key.endswith(end)):
            return True
        # Something in the code can make this key, and knows the word that it puts in, or makes
        # that word itself.
        return made(key, depth=2)

    def made(word: str, depth: int) -> bool:
        matches = [shape.fullmatch(word) for shape in shapes if shape.pattern != "(.+)"]
        return any(
            all(g in words or (depth > 1 and made(g, depth - 1)) for g in match.groups())
            for match in matches
            if match
        )

    # These are checked against the rules and the vocabulary.
    elsewhere = (
        "observation.",
        "key.",
        "name.",
        "rule.",
        "theme.",
        "threshold.",
        "unit.",
        "counted.",
    )
    rest = [k for k in messages("en") if not k.startswith(elsewhere)]
    assert [key for key in rest if not used(key)] == []


# --- the rules ---------------------------------------------------------------------------------


def endings_of(code: str, beginning: str) -> set[str]:
    """What follows the beginning in the keys that have it."""
    return {k.removeprefix(beginning) for k in messages(code) if k.startswith(beginning)}


@pytest.mark.parametrize("code", CODES)
def test_every_rule_says_what_it_looks_for(code: str) -> None:
    with_a_sentence = {ending.partition(".")[0] for ending in endings_of(code, "observation.")}
    assert {*EVERY_RULE, *WITHOUT_ROW} == with_a_sentence
    assert endings_of(code, "rule.") == with_a_sentence


@pytest.mark.parametrize("code", CODES)
def test_every_threshold_has_a_reason(code: str) -> None:
    names = {name for name in vars(thresholds) if name.isupper()}
    assert {name for rule in EVERY_RULE.values() for name in rule.thresholds} <= names
    assert endings_of(code, "threshold.") == {n.lower().replace("_", "-") for n in names}


@pytest.mark.parametrize("code", CODES)
def test_every_theme_has_a_title(code: str) -> None:
    assert endings_of(code, "theme.") == {*THEMES, OF_THE_LAB}


@pytest.mark.parametrize("code", CODES)
def test_every_unit_has_words(code: str) -> None:
    assert endings_of(code, "unit.") == set(UNITS.values())


def test_units_are_of_rules_that_there_are() -> None:
    rules = {key.partition(".")[0] for key in UNITS}
    types = {name for name in rules if name[0].isupper()}
    assert types == {"Count", "Number", "OutOf", "Rounds"}
    assert rules - types <= endings_of("en", "rule.")


# --- the vocabulary ----------------------------------------------------------------------------


def vocabulary() -> tuple[set[str], set[str]]:
    """Every key of a configuration by its dotted path, and every word that a key can take."""
    keys: set[str] = set()
    words: set[str] = set()

    def walk(schema: dict, path: str) -> None:
        schema = _resolved(schema)
        for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            walk(option, path)
        for name, inner in schema.get("properties", {}).items():
            here = f"{path}.{name}" if path else name
            if "properties" not in _resolved(inner) and "oneOf" not in _resolved(inner):
                keys.add(here)
            walk(inner, here)
        if "items" in schema:
            walk(schema["items"], path)
        words.update(v for v in (*schema.get("enum", ()), schema.get("const")) if v)

    root = WrittenConfig.model_json_schema()

    def _resolved(schema: dict) -> dict:
        options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
        if len(options) == 1 and "$ref" in options[0]:
            return _resolved(options[0])
        if "$ref" in schema:
            return root["$defs"][schema["$ref"].rpartition("/")[2]]
        return schema

    walk(root, "")
    return keys, words


@pytest.mark.parametrize("code", CODES)
def test_every_key_of_a_configuration_has_a_name(code: str) -> None:
    keys, _ = vocabulary()
    assert {"loss", "data.inputs", "optimizer.learning_rate", "initial.weights"} <= keys
    assert {f"key.{key}" for key in keys} == {k for k in messages(code) if k.startswith("key.")}


@pytest.mark.parametrize("code", CODES)
def test_every_word_of_a_configuration_has_a_name(code: str) -> None:
    _, words = vocabulary()
    assert {"sigmoid", "adam", "mse", "pytorch", "trained", "accumulated"} <= words
    named = {word for word in words if f"name.{word}" in messages(code)}
    # Losses and optimizers have the same name in every language.
    from labreport.lab.schema.losses import LOSSES

    # … but for those that Chinese has words for.
    assert words - named <= set(LOSSES) | set(OPTIMIZER_TITLES)
    assert {"mse", "bce", *OPTIMIZER_TITLES} <= words - named
    assert {f"name.{word}" for word in named} == {
        key for key in messages(code) if key.startswith("name.")
    }
    for word in words:
        assert language(code).name(word)
