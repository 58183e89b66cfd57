/* expect: syntax compile-error 0 */
class A { public: int x; };
