/* A library that a run path finds. */
int found(void) {
    return 1;
}
