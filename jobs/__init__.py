"""What Ray runs: the driver, the steps, pretraining, evaluation, export.

    python -m jobs.run --run.py--> step_run.py --steps/<kind>.py--> executor.py --unit.py, on Ray--> part files

Reading order: unit.py (one unit of work), executor.py and whereabouts.py (units on Ray), step_run.py (a step from the
driver's side), steps/ (one file a step), cluster.py, nodes.py, sessions.py, scratch.py, ending.py, machine.py,
heartbeat.py, report_spool.py, reporter.py and tee.py (what the driver tells), run.py; submitted.py and
compiled_kernels.py (on a cluster); pretrain/ is the training itself.
"""
