"""Pretraining: from token shards in the store to checkpoints and weights in the store.

    TrainTask --launch--> group of ranks --worker--> steps --checkpoint--> store
                 engine: DeepSpeed      channel --listener, in the driver--> spool

Reading order: task (the contract), model, schedule, engine, attempt, spool, channel, checkpoint,
output, worker, rank; and for the driver placement, listener, stacks, launch.
"""
