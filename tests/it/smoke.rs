use tests::on_both;

on_both!(the_small_world_is_there, Small, async |app| {
    let answer = app.anct().ask("{ sites { totalCount } actions { totalCount } }").await;
    assert_eq!((answer.number("/sites/totalCount"), answer.number("/actions/totalCount")), (4, 144));
    assert_eq!(app.public().ask("{ sites { totalCount } }").await.number("/sites/totalCount"), 3);
});

on_both!(the_open_data_is_there, Real, async |app| {
    let answer = app.public().ask("{ sites { totalCount } }").await;
    assert_eq!(answer.number("/sites/totalCount"), 84);
});
