"""One file a step: `run(StepRun)` on the driver, and the functions that its units run on workers."""
