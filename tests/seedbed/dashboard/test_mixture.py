"""What the pages say of sources and groups: what is taken of each, and how good the model is on whose text."""

from dataclasses import replace

from seedbed.mixture import AT_MOST, MixedSource


def test_a_plan_shows_what_is_taken_of_each_source(site):
    row = MixedSource("docs", 4000, AT_MOST, 0.75, 0.8, 6000, 1.5)
    part = site.client.app.state.page.part("plan_numbers.html", plan=replace(site.plan, mixture=(row,)))
    cells = ("at most 4,000", "75%", "80%", "6,000", "at least 1.50")
    assert "<tr><td>docs</td>" + "".join(f'<td class="num">{cell}</td>' for cell in cells) in part
    assert "Mixture" not in site.client.app.state.page.part("plan_numbers.html", plan=site.plan)


def test_a_run_shows_the_loss_by_group_and_how_much_was_too_little(site):
    group = {"name": "<en>", "documents": 30, "tokens": 5000, "loss": 3.25, "bits_per_byte": 1.5}
    small = {"groups": 2, "documents": 3, "tokens": 40, "names": ["de", "fr"]}
    none = {"groups": 0, "documents": 0, "tokens": 0, "names": []}
    training = {
        "mixture": {"docs": {"available": 4000, "tokens": 6000, "weight": 0.8, "epochs": 1.5}},
        "by": {"language": {"groups": [group], "too_small": small}, "source": {"groups": [group], "too_small": none}},
    }
    part = site.client.app.state.page.part("training_groups.html", training=training)
    cells = "".join(f'<td class="num">{cell}</td>' for cell in ("30", "5,000", "3.250", "1.500"))
    assert f"<tr><td>&lt;en&gt;</td>{cells}</tr>" in part
    assert '<td title="de, fr">2 with too little text</td>' in part
    assert 'id="held-out-by-source"' not in part  # one group is the whole
    assert '<tr><td>docs</td><td class="num">4,000</td><td class="num">6,000</td><td class="num">80%</td>' in part
    assert site.client.app.state.page.part("training_groups.html", training={"steps": 3}).strip() == ""
