"""The paper's tables 1 to 7 and figures 3 and 4 on Tabletop, on one page, beside what the paper says."""
