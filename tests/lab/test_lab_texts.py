"""Every text that a lab's author wrote is found, with the key that it stands under."""

from collections.abc import Callable

from lab_texts import changed

from labreport.lab.plan import Lab
from labreport.lab.reading.texts import texts


def test_texts_stand_under_their_keys(loaded: Callable[[str], Lab]) -> None:
    text = changed(
        ('title = "First"', 'title.zh = "一"\ntitle.en = "one"\nquestion.en = "why"'),
        add='[[experiment.first.variant]]\nname = "a"\nlabel = "A"\n'
        '[appendix.more]\ntitle = "M"\nchange.rounds = 3\n'
        '[cover]\nclass = "C"\n[purpose]\nzh = "为何"\n',
    )
    file = loaded(text).file
    assert dict(texts(file, ("zh", "en"))) == {
        ("cover", "class"): "C",
        ("purpose", "zh"): "为何",
        ("experiment", "first", "title", "zh"): "一",
        ("experiment", "first", "title", "en"): "one",
        ("experiment", "first", "question", "en"): "why",
        ("experiment", "first", "variant", 0, "label"): "A",
        ("appendix", "more", "title"): "M",
    }
    only = dict(texts(file, ("en",)))
    assert ("experiment", "first", "title", "zh") not in only
    assert only["purpose", "zh"] == "为何"


def test_no_kind_of_text_is_forgotten(shipped_lab: Lab) -> None:
    found = [text for _, text in texts(shipped_lab.file, ("zh",))]
    assert len(found) == repr(shipped_lab.file).count("Text(")
