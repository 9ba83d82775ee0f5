"""`fucai query`: each question its command, and the sheet made of its answer. Computes no figure."""
