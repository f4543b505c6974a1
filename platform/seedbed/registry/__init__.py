"""The registry: what was submitted, what became of it, and who said so. It outlives Ray, MLflow and the controller.

    --registry URL --database.py--> Database --migrate.py--> schema at HEAD --registry.py--> Registry
    store --adopt.py--> runs that nobody submitted

Reading order: `states` (what may follow what), `records` (what comes back), `schema` and `migrations/` (the tables),
`database` (connections, turns of writers, errors), `migrate`, `network_mounts`, `events`, `jobs`, `attempts`, `alarms`,
`clusters`, `seen_runs`, `leads`, `dashboards` (the methods, by table), `registry` (all of them together), `adopt`.
"""
