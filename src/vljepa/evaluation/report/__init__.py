"""What is written of results: the report of a run, and the paper's tables out of one or more runs."""

from vljepa.evaluation.report.run import write_report, write_results

__all__ = ["write_report", "write_results"]
