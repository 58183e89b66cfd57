#include "loop/task.h"

#include "loop/loop-internal.h"

void loop_task_init(struct loop_task *task, struct loop *loop, loop_task_fn *run)
{
        list_init(&task->link);
        task->loop = loop;
        task->run = run;
}

void loop_task_post(struct loop_task *task)
{
        if (list_is_empty(&task->link))
                list_append(&task->loop->tasks, &task->link);
}

void loop_task_post_last(struct loop_task *task)
{
        if (list_is_empty(&task->link))
                list_append(&task->loop->last_tasks, &task->link);
}

void loop_task_cancel(struct loop_task *task)
{
        list_remove(&task->link);
}

static void run_all(struct list *tasks)
{
        struct list batch, *link;

        list_init(&batch);
        list_splice(&batch, tasks);
        while ((link = list_take_first(&batch)) != NULL) {
                struct loop_task *task = container_of(link, struct loop_task, link);

                task->run(task);
        }
}

void loop_tasks_run(struct loop *loop)
{
        run_all(&loop->tasks);
        run_all(&loop->last_tasks);
}

bool loop_tasks_wait(const struct loop *loop)
{
        return !list_is_empty(&loop->tasks) || !list_is_empty(&loop->last_tasks);
}

void loop_tasks_forget(struct loop *loop)
{
        while (list_take_first(&loop->tasks) != NULL || list_take_first(&loop->last_tasks) != NULL)
                continue;
}
