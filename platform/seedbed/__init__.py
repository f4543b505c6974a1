"""The control plane: run file, plan, budget, store, runs, ledger, command line. It starts jobs and never imports them.

    RUN.yaml --runfile/--> RunConfig --plan.py--> Plan --budget.py--> verdict --launch.py--> python -m jobs.run

Reading order: errors.py, runfile/ (what a person writes), sources.py (with source_*.py), steps.py and fingerprint.py
(what is to be made, and its name), scaling/ and plan_numbers.py (what it costs), budget.py and nearest.py (whether it
may, and what would), plan.py, store.py and artifact.py (where results live), state.py, runs.py, ledger.py, cli/;
reports.py, curves.py, time_left.py, failures.py (what a run tells); bundle.py, submission.py (what a cluster gets);
registry/, cluster_choice.py, reservation.py, submitting.py (a job in the queue), controller/ (what becomes of it),
job_requests.py, job_table.py, job_description.py, following.py (what people ask and see of it).
"""
