from dataprep.filters.language import LanguageConfig
from dataprep.filters.registry import FILTERS, summary
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


def test_the_run_file_says_of_a_filter_what_its_docstring_says_first():
    assert summary(LanguageConfig) == "Languages that are kept, and how sure the model must be of them"
    assert SelectConfig.model_fields["language"].description == summary(LanguageConfig)
