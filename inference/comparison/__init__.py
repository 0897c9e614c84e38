"""Which of several fits predicts best: by left-out rows or groups, or by maximised likelihoods."""
