"""What Google's destinations share: sign-in and error translation."""
