"""The controller: one process of a registry that moves jobs from the queue to Ray and looks what became of them.

    Ray --cluster_look--+
    store --job_look----+--> judge --> retries --> registry (state, event)
    queue of the registry --queue--> dispatch --> Ray

Reading order: `queue`, `judge`, `retries` and `alarm_rules` (pure: what is known -> what follows), `cluster_look`,
`job_look` and `dispatch` (what touches Ray and stores), `background` (so that nobody waits for what does not answer),
`cluster_watch` and `attempt_watch` (what is known), `follow_up` (a verdict is written down), `telling` (clusters and
alarms), `loop` (all of it, again and again), `lead` (one at a time), `last_round` (of a cluster that goes down, when
this process has ended before its jobs), `silence` (for readers: is it heard?).

Killed anywhere and started again it starts no job twice and loses none: what it does is written into the registry
first, under a submission id that Ray takes once, and whatever was begun can be done again.
"""
