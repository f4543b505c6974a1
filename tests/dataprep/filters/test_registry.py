from dataprep.filters.registry import FILTERS
from dataprep.select import SelectConfig


def test_select_has_a_field_for_each_filter_in_the_order_of_application():
    assert list(SelectConfig.model_fields) == list(FILTERS)
    for name, config in FILTERS.items():
        assert SelectConfig.model_fields[name].annotation == config | None


def test_every_field_says_what_it_means():
    for config in FILTERS.values():
        assert config.model_config == {"frozen": True, "extra": "forbid", "strict": True}
        for name, field in config.model_fields.items():
            assert field.description, name
