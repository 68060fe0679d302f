"""What cloud services answer: their codes and words, whether they pass, and what a certificate lacks."""
