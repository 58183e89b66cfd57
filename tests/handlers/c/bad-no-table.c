/* expect: protected no-table 0 */
int x;
