"""Answers on the response's scale: means, contrasts, slopes and hypotheses, with intervals."""
