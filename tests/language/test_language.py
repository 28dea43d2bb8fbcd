"""How a language writes texts, lists, facts and names."""

from __future__ import annotations

import re
from typing import Any

import pytest

from labreport.analysis.observation import (
    Count,
    Fact,
    From,
    Keys,
    Names,
    Number,
    Observation,
    OutOf,
    Part,
    RoundNumber,
    Rounds,
    Setting,
    Share,
    Subject,
    UpTo,
    Verbatim,
    With,
    Wording,
)
from labreport.lab.configuration import RunConfig
from labreport.lab.lab import Experiment
from labreport.lab.plan import Plan
from labreport.language.catalogue import language

ZH, EN = language("zh"), language("en")
RATE = "optimizer.learning_rate"


def plan(*variants: dict[str, Any]) -> Plan:
    base = RunConfig.model_validate(
        {
            "data": {"inputs": [[1.0]], "targets": [[1.0]]},
            "network": {"layers": [1, 1], "activations": "sigmoid"},
            "optimizer": {"name": "sgd", "learning_rate": 1.0},
        }
    )
    experiment = Experiment.model_validate({"title": "t", "variant": list(variants)})
    return Plan("p", experiment, base, (), (10,), ())


TWO = plan(
    {"name": "old", "label": {"zh": "原程序", "en": "as published"}},
    {"name": "new", "label": "ReLU–ReLU"},
    {"name": "bare"},
)


def test_unknown_text_is_an_error() -> None:
    for words in (ZH, EN):
        with pytest.raises(KeyError, match="no text"):
            words.text("no.such.key")


def test_missing_value_is_an_error() -> None:
    for words in (ZH, EN):
        with pytest.raises(KeyError):
            words.text("counted.rounds")


@pytest.mark.parametrize("words", [ZH, EN])
def test_braces_in_values_stay_as_they_are(words: Any) -> None:
    assert "{loss} {0} {" in words.text("fault.unknown-name", found="{loss} {0} {")


@pytest.mark.parametrize("words", [ZH, EN])
def test_doubled_braces_are_single_in_print(words: Any) -> None:
    assert "{ from, to, count }" in words.text("fault.sweep-values")


@pytest.mark.parametrize(("count", "text"), [(0, "0 rounds"), (1, "1 round"), (2, "2 rounds")])
def test_plurals(count: int, text: str) -> None:
    assert EN.counted("rounds", count) == text
    assert EN.counted("rounds", str(count)) == text
    assert ZH.counted("rounds", count) == f"{count} 轮"


@pytest.mark.parametrize(("count", "text"), [(1, "after 1 round."), (2, "after 2 rounds.")])
def test_texts_put_numbers_with_what_they_count(count: int, text: str) -> None:
    assert EN.text("report.read-budget", budget=count).lower() == text


def test_a_list_is_cut_and_says_how_many_others_there_are() -> None:
    names = [f"v{k}" for k in range(60)]
    assert EN.join(names) == "v0, v1, v2, v3, v4, v5 and 54 others"
    assert EN.enumerate(names) == "v0; v1; v2; v3; v4; v5 and 54 others"
    assert ZH.join(names) == "v0、v1、v2、v3、v4、v5 和另外 54 个"
    assert EN.join(names[:8]) == "v0, v1, v2, v3, v4, v5, v6 and v7"


def test_a_label_cannot_end_its_quotation() -> None:
    label = {"zh": "x”. All weights are 0. “y", "en": "x”. All weights are 0. “y"}
    two = plan({"name": "a", "label": label}, {"name": "b"})
    for words in (EN, ZH):
        for fact in (Subject("a"), With(Subject("a"), Count(1))):
            told = words.fact(fact, two)
            assert told.startswith("“x’. All weights are 0. ‘y”")
            assert (told.count("“"), told.count("”")) == (1, 1)


@pytest.mark.parametrize(
    ("items", "zh", "en"),
    [
        ([], "", ""),
        (["w1"], "w1", "w1"),
        (["w1", "w2"], "w1 和 w2", "w1 and w2"),
        (["w1", "w2", "w3"], "w1、w2 和 w3", "w1, w2 and w3"),
        (["权值", "偏置"], "权值和偏置", "权值 and 偏置"),
    ],
)
def test_lists(items: list[str], zh: str, en: str) -> None:
    assert ZH.join(items) == zh
    assert EN.join(items) == en


def test_lists_of_items_with_commas() -> None:
    assert EN.enumerate(["a (1, 2)", "b (3)"]) == "a (1, 2); b (3)"
    assert ZH.enumerate(["甲（1，2）", "乙（3）"]) == "甲（1，2）；乙（3）"


def test_chinese_keeps_latin_and_digits_at_a_distance() -> None:
    written = ZH.text("with", what="原程序MSE损失", detail="10轮")
    assert written == "原程序 MSE 损失（10 轮）"
    assert ZH.text("with", what="下降−0.5", detail="约5%的") == "下降 −0.5（约 5% 的）"
    assert EN.text("with", what="原程序MSE", detail="x") == "原程序MSE (x)"


def test_chinese_has_no_blank_where_a_cut_list_ends_in_a_word() -> None:
    names = ZH.fact(Names(tuple("abcdefghi")), TWO)
    for form in ("", ".rows", ".flat", ".input", ".blocked"):
        values = {"subject": "甲", "units": "h1", "rounds": 9, "count": 1, "total": 2}
        said = ZH.text(f"observation.silent-weights{form}", names=names, **values)
        assert not re.search("[\u4e00-\u9fff] [\u4e00-\u9fff]", said)
        assert "另外 3 个" in said


def test_one_run_is_not_spoken_of_as_several() -> None:
    said = ZH.text("observation.single-start.given", count=1, budget=5)
    assert "都" not in said


FACTS: list[tuple[Fact, str, str]] = [
    (Number(0.0289), "0.02890", "0.02890"),
    (Number(float("inf")), "∞", "∞"),
    (Setting(-0.07), "−0.07", "−0.07"),
    (Share(0.36), "36%", "36%"),
    (Count(1000), "1000", "1000"),
    (OutOf(5, 13), "5/13", "5/13"),
    (Rounds(1), "1 轮", "1 round"),
    (Names(("w2", "h2")), "w2 和 h2", "w2 and h2"),
    (Names(()), "", ""),
    (Wording("漏写", "left out"), "漏写", "left out"),
    (Wording("漏写", "left out", is_name=True), "“漏写”", "“left out”"),
    (RoundNumber(41), "第 41 轮", "round 41"),
    (Verbatim("RuntimeError: {x} <b>"), "RuntimeError: {x} <b>", "RuntimeError: {x} <b>"),
    (Keys((RATE, "loss")), "学习率和损失函数", "learning rate and loss"),
    (Part("activation", "relu"), "ReLU", "ReLU"),
    (Part("loss", "bce"), "BCE", "BCE"),
    (Part("initial", "zeros"), "全零", "all zero"),
    (Subject("old"), "“原程序”", "“as published”"),
    (Subject("bare"), "“bare”", "“bare”"),
    (Subject("", ((RATE, 0.5),)), "学习率 0.5", "learning rate 0.5"),
    (
        Subject("old", ((RATE, 0.5),)),
        "“原程序”（学习率 0.5）",
        "“as published” (learning rate 0.5)",
    ),
    (
        From(Subject("old", ((RATE, 0.5),))),
        "“原程序”（学习率 0.5 及以上）",
        "“as published” from learning rate 0.5 on",
    ),
    (From(Subject("", ((RATE, 0.5),))), "学习率 0.5 及以上", "learning rate 0.5 and above"),
    (
        UpTo(Subject("old", ((RATE, 0.5),))),
        "“原程序”（学习率 0.5 及以下）",
        "“as published” up to learning rate 0.5",
    ),
    (UpTo(Subject("", ((RATE, 0.5),))), "学习率 0.5 及以下", "learning rate 0.5 and below"),
    (Names(tuple("abcdefgh")), "a、b、c、d、e、f、g 和 h", "a, b, c, d, e, f, g and h"),
    (Names(tuple("abcdefghi")), "a、b、c、d、e、f 和另外 3 个", "a, b, c, d, e, f and 3 others"),
    (
        Subject("", (("network.bias", "none"), ("data.batch_size", 1))),
        "无偏置，批大小 1",
        "no bias, batch size 1",
    ),
    (Subject("", (("network.bias", "held"),)), "偏置固定为给定值", "bias held at given values"),
    (With(Subject("old"), Rounds(7)), "原程序（7 轮）", "as published (7 rounds)"),
    ((Subject("old"), Subject("new")), "“原程序”和“ReLU–ReLU”", "“as published” and “ReLU–ReLU”"),
    ((Part("loss", "mse"), Part("loss", "bce")), "MSE 和 BCE", "MSE and BCE"),
    ((Rounds(1), Rounds(10)), "1 轮和 10 轮", "1 round and 10 rounds"),
    ((Number(0.5), Number(0.25)), "0.5000，0.2500", "0.5000, 0.2500"),
    (
        (With(Subject("old"), Rounds(7)), With(Subject("new"), Rounds(1))),
        "原程序（7 轮）；ReLU–ReLU（1 轮）",
        "as published (7 rounds); ReLU–ReLU (1 round)",
    ),
    (
        (Subject("old", ((RATE, 0.5),)), Subject("new", ((RATE, 1.0),))),
        "“原程序”（学习率 0.5）和“ReLU–ReLU”（学习率 1）",
        "“as published” (learning rate 0.5) and “ReLU–ReLU” (learning rate 1)",
    ),
]


@pytest.mark.parametrize(("fact", "zh", "en"), FACTS, ids=lambda f: type(f).__name__)
def test_facts_in_words(fact: Fact, zh: str, en: str) -> None:
    assert ZH.fact(fact, TWO) == zh
    assert EN.fact(fact, TWO) == en


def test_every_kind_of_fact_is_covered() -> None:
    kinds = {t for t in Fact.__args__ if not hasattr(t, "__args__")}
    assert kinds <= {type(fact) for fact, _, _ in FACTS}


def test_a_lone_variant_is_named_by_its_point_alone() -> None:
    alone = plan({"name": "old"})
    assert EN.subject(Subject("old", ((RATE, 0.5),)), alone) == "learning rate 0.5"
    assert EN.subject(Subject("old"), alone) == "old"


def test_label_in_one_language_stands_for_both() -> None:
    only = plan({"name": "a", "label": {"zh": "甲"}}, {"name": "b", "label": {"en": "B"}})
    assert [EN.label(only, name) for name in "ab"] == ["甲", "B"]
    assert [ZH.label(only, name) for name in "ab"] == ["甲", "B"]


def test_empty_label_falls_back_to_the_name() -> None:
    assert EN.label(plan({"name": "a", "label": ""}), "a") == "a"


def test_unnamed_variant() -> None:
    assert (ZH.label(plan(), "base"), EN.label(plan(), "base")) == ("基准", "base")


@pytest.mark.parametrize(
    ("path", "value", "zh", "en"),
    [
        (RATE, 0.1, "0.1", "0.1"),
        ("optimizer.nesterov", True, "是", "yes"),
        ("optimizer.nesterov", False, "否", "no"),
        ("network.activations", ["sigmoid", "relu"], "Sigmoid, ReLU", "sigmoid, ReLU"),
        ("network.layers", [2, 3, 1], "(2, 3, 1)", "(2, 3, 1)"),
        ("data.inputs", [[0.5, -0.3], [1.0, 2.0]], "(0.5, −0.3); (1, 2)", "(0.5, −0.3); (1, 2)"),
        ("network.bias", "zero", "保持为 0", "held at 0"),
        ("loss", "kl_div", "KL 散度", "KL divergence"),
        ("initial.biases", None, "—", "—"),
        ("initial.biases", [], "()", "()"),
    ],
)
def test_values_of_keys(path: str, value: object, zh: str, en: str) -> None:
    assert ZH.value(path, value) == zh
    assert EN.value(path, value) == en


def test_unknown_key_stands_for_itself() -> None:
    assert EN.key("some.new.key") == "some.new.key"


def test_numbers_of_one_sentence_are_told_apart() -> None:
    facts = {
        "subject": Subject("old"),
        "lowest": Number(0.0245101),
        "final": Number(0.0245102),
        "round": Count(11),
        "updates": Count(10),
        "budget": Count(100),
    }
    observation = Observation("overshoot", facts, runs=1, relevance=1)
    for words in (ZH, EN):
        sentence = words.sentence(observation, TWO)
        assert "0.0245101" in sentence
        assert "0.0245102" in sentence


def test_english_sentences_begin_with_a_capital() -> None:
    counts = {name: Count(1) for name in ("every", "some", "none")}
    facts = {**counts, "points": Count(3), "share": Share(0.9), "budget": Count(3)}
    observation = Observation("solved-starts", facts, runs=1, relevance=1, form="many")
    assert EN.sentence(observation, TWO).startswith("Among 3 variants or values")
    point = {"steady": Subject("", ((RATE, 0.5),)), "rising": Subject("", ((RATE, 1.0),))}
    rises = Observation("rises", {**point, "budget": Count(3)}, runs=1, form="one")
    assert EN.sentence(rises, TWO).startswith("Up to ")
    facts = {"experiments": (Wording("甲", "a"),)}
    assert EN.sentence(Observation("own-rows", facts, runs=1), TWO)[0].isupper()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        # One that reads like words is set off, and the others of its experiment with it.
        (("SGD", "with momentum"), "“SGD”"),
        (("SGD", "cleared"), "“SGD”"),
        (("SGD", "动量"), "“SGD”"),
        # Names and formulas are not words.
        (("SGD", "ReLU–linear"), "SGD"),
        (("SGD", "ReLU–线性"), "SGD"),
        (("SGD", "η = 0.5"), "SGD"),
    ],
)
def test_labels_that_are_words_are_quoted_in_sentences(labels: tuple[str, ...], said: str) -> None:
    made = plan(*({"name": f"n{k}", "label": label} for k, label in enumerate(labels)))
    for words in (ZH, EN):
        assert words.fact(Subject("n0"), made) == said
        # A table, a figure and a list with numbers in brackets have the label alone.
        assert words.subject(Subject("n0"), made) == "SGD"
        assert words.fact(With(Subject("n0"), Count(1)), made).startswith("SGD")


def test_labels_of_the_author_are_not_read_as_templates() -> None:
    tricky = plan({"name": "a", "label": "{subject} {{x}} %s"})
    facts = {"subjects": (Subject("a"),), "others": (), "budget": Count(1)}
    observation = Observation("who-leads", facts, runs=1, relevance=1, form="one")
    for words in (ZH, EN):
        assert "{subject} {{x}} %s" in words.sentence(observation, tricky)


def test_names_for_html() -> None:
    assert (ZH.html_name, EN.html_name) == ("zh-CN", "en")
