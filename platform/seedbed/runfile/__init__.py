"""The run file: what a person writes, as checked and frozen configuration.

    YAML --yaml_tree--> values and places --load--> RunConfig --write_resolved--> YAML
                                            |-> problems, each with file, line and key

Reading order: `strict`, `data`, `model`, `training`, `cluster`, `budget`, `tracking` (the parts), `run` (the
whole, and what its parts ask of each other), `yaml_tree`, `load`, `problems`.
"""
