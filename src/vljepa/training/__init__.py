"""One loop for every stage: prepare the data, step, log, save, resume."""
