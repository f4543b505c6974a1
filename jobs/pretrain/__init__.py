"""Pretraining: from token shards in the store to checkpoints and weights in the store.

    TrainTask --launch--> group of ranks --worker--> steps --checkpoint--> store
                                        engine: DeepSpeed     spool: metrics for the driver

Reading order: task (the contract), model, schedule, engine, attempt, spool, checkpoint, worker, launch.
"""
