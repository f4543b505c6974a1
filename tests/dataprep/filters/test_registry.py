import pyarrow as pa

from dataprep.annotate import AnnotateConfig
from dataprep.filters.language import LanguageConfig
from dataprep.filters.registry import FILTERS, summary
from dataprep.filters.url import UrlConfig
from dataprep.select import BESIDE_TABLES, SelectConfig
from dataprep.url_lists import url_facts


def test_select_has_a_field_for_each_filter_in_the_order_of_application():
    assert list(SelectConfig.model_fields) == [*FILTERS, "others"]
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


def test_a_reason_belongs_to_one_rule():
    models = {"perplexity": {"model": "m.arpa"}, "quality_classifier": {"model": "m.safetensors"}}
    attributes = AnnotateConfig.model_validate(models).table_schema().empty_table()
    beside = url_facts(pa.array([], pa.string()), UrlConfig().lists({}))
    for fields in BESIDE_TABLES.values():
        for field in fields:
            attributes = attributes.append_column(field, pa.array([], field.type))
    for name in [*beside, "offensive_score_e4"]:  # of URL lists, and of a measure that is off by default
        attributes = attributes.append_column(name, pa.array([], pa.int64()))
    # These do nothing by default, and want to be told what.
    limits = {"perplexity": {"min_perplexity": 2, "max_perplexity": 3}, "quality": {"min_score": 0.5}}
    limits["opt_out"] = dict.fromkeys(("noai", "tdm_reservation", "noindex", "noarchive", "nosnippet"), True)
    limits["opt_out"] |= {"blocked_licences": ["-nd"], "keep_licences": ["by"]}
    chosen = [config.model_validate(limits.get(name, {})) for name, config in FILTERS.items()]
    reasons = [rule.reason for config in chosen for rule in config.rules(attributes)]
    assert len(reasons) == len(set(reasons)) > 40


def test_what_filters_want_beside_the_attributes_is_there_to_be_had():
    known = {table: {field.name for field in fields} for table, fields in BESIDE_TABLES.items()}
    for config in FILTERS.values():
        for table, names in getattr(config, "BESIDE", {}).items():
            assert known[table].issuperset(names)
    assert "text" not in known["documents"]
