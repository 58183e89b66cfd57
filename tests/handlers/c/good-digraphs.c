/* expect: valid */
%: include <pifleet/handler.h>
static int a(struct pifleet_call *call)
<%
        pifleet_put_integer(call, "x", (int<::>)<%7%><:0:>);
        return 0;
%>
PIFLEET_MODULE(PIFLEET_COMMAND("a", a, ""))
