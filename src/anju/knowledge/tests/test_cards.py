"""First-aid cards can be read aloud, and each symptom that the guide names finds one."""

import pytest

from anju.knowledge import queries


@pytest.mark.req("INC-07")
def test_every_symptom_of_the_ten_minutes_has_a_card_that_can_be_read_aloud():
    wanted = {"chest_pain", "stroke", "fall", "choking", "burn", "bleeding", "unconscious", "low_sugar", "gas", "heat"}
    assert wanted <= set(queries.cards())
    for card in queries.cards().values():
        assert card.call in {"120", "119"}
        assert card.ask
        assert card.steps
        assert card.never
        assert all(len(line) <= 45 for line in (*card.ask, *card.steps, *card.never)), card.code
    assert queries.card("no such card") is None


@pytest.mark.req("INC-07")
def test_the_card_of_an_alarm_comes_first_and_the_rest_is_found_by_words():
    assert queries.cards_for("gas")[0].code == "gas"
    assert queries.cards_for("sos", ["fallen"])[0].code == "fall"
    assert [c.code for c in queries.search("胸口疼")] == ["chest_pain"]
    assert queries.cards_for("nothing of this kind") == []
    assert {h.number for h in queries.hotlines()} >= {"120", "110", "119", "12348", "12320"}
