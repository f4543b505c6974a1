"""Tracking in MLflow: what a run tells is written here first, and sent by a process that may die or wait.

    driver, ranks --spool--> journal --settle--> steps --metrics--> points --shipment--> destination (MLflow)
    plan, record, manifests --description--> params, tags, datasets, files ----'

Reading order: `journal` (what is written), `settle` (which steps stayed), `metrics` (every number, declared once),
`system_metrics`, `description`, `shipped` (what has arrived), `destination` (the only file that imports mlflow),
`training_shipment`, `shipment` (one run on its way), `shipper` (the process), `tracker` (the driver's side), `catch_up`
(`seedbed track`), `place`.
"""
