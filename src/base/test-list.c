#include "base/attributes.h"
#include "base/list.h"
#include "support/test.h"

struct item {
        int value;
        struct list link;
};

static int sum_in_order(struct list *list)
{
        int sum = 0;

        list_for_each (list, position)
                sum = sum * 10 + container_of(position, struct item, link)->value;
        return sum;
}

TEST(items_stay_in_order_and_may_be_removed_while_walking)
{
        struct item items[] = {{1}, {2}, {3}};
        struct list list;

        list_init(&list);
        CHECK(list_is_empty(&list));
        CHECK_NULL(list_take_first(&list));
        for (int i = 0; i < 3; i++)
                list_append(&list, &items[i].link);
        CHECK_EQ(sum_in_order(&list), 123);
        list_for_each (&list, position)
                if (container_of(position, struct item, link)->value == 2)
                        list_remove(position);
        CHECK_EQ(sum_in_order(&list), 13);
        list_remove(&items[1].link);
        CHECK_EQ(sum_in_order(&list), 13);
        CHECK(list_take_first(&list) == &items[0].link);
        CHECK_EQ(sum_in_order(&list), 3);
}

TEST(splicing_moves_all_items_behind_the_others)
{
        struct item items[] = {{1}, {2}, {3}, {4}};
        struct list first, second;

        list_init(&first);
        list_init(&second);
        list_splice(&first, &second);
        CHECK(list_is_empty(&first));
        for (int i = 0; i < 4; i++)
                list_append(i < 2 ? &first : &second, &items[i].link);
        list_splice(&first, &second);
        CHECK_EQ(sum_in_order(&first), 1234);
        CHECK(list_is_empty(&second));
}
